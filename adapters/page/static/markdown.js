// Markdown to DOM nodes. Text only ever becomes text nodes: nothing in it can load or run anything.
// The common subset of https://spec.commonmark.org/ that chat models write, with tables and ~~.

import { element } from "./elements.js";

const DEEPEST = 8;
// No pattern here may take more than linear time: the text is not trusted.
const FENCE = /^ {0,3}(`{3,}|~{3,})([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})[ \t]+([^]*)$/;
const RULE = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
const QUOTE = /^ {0,3}>/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])(?:[ \t]+|$)([^]*)$/;
const DELIMITER = /^:?-+:?$/;

// Shows a text in a box; the blocks before its first change keep their nodes.
export function show(box, text) {
  const wanted = blocks(text);
  const shown = box.shownBlocks ?? [];
  let same = 0;
  while (same < wanted.length && wanted[same].source === shown[same]?.source) same += 1;
  while (box.childNodes.length > same) box.lastChild.remove();
  box.append(...wanted.slice(same).map((block) => render(block, 0)));
  box.shownBlocks = wanted;
}

export const plain = (text) => {
  const box = element("div");
  show(box, text);
  return Array.from(box.children, (child) => child.textContent.trim()).filter(Boolean);
};

// Returns the code of the first fenced block, undefined without one.
export const firstCode = (text) => blocks(text).find((block) => block.type === "code")?.text;

// Blocks

function blocks(text) {
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  const found = [];
  let at = 0;
  while (at < lines.length) {
    if (!lines[at].trim()) at += 1;
    else {
      const [block, next] = readBlock(lines, at);
      block.source = lines.slice(at, next).join("\n");
      found.push(block);
      at = next;
    }
  }
  return found;
}

function readBlock(lines, at) {
  const line = lines[at];
  if (FENCE.test(line)) return readCode(lines, at);
  const heading = HEADING.exec(line);
  if (heading) return [{ type: "heading", level: heading[1].length, text: heading[2].trimEnd().replace(/[ \t]#+$/, "") }, at + 1];
  if (RULE.test(line)) return [{ type: "rule" }, at + 1];
  if (QUOTE.test(line)) return readQuote(lines, at);
  if (ITEM.test(line)) return readList(lines, at);
  if (line.includes("|") && delimits(lines[at + 1])) return readTable(lines, at);
  return readParagraph(lines, at);
}

function readCode(lines, at) {
  const [, fence, info] = FENCE.exec(lines[at]);
  const [language] = info.trim().split(/\s/);
  const closing = new RegExp(`^ {0,3}${fence[0]}{${fence.length},}[ \\t]*$`);
  let end = at + 1;
  while (end < lines.length && !closing.test(lines[end])) end += 1;
  return [{ type: "code", language, text: lines.slice(at + 1, end).join("\n") }, end + 1];
}

function readQuote(lines, at) {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) end += 1;
  const inner = lines.slice(at, end).map((line) => line.replace(/^ {0,3}> ?/, ""));
  return [{ type: "quote", text: inner.join("\n") }, end];
}

function readTable(lines, at) {
  let end = at + 2;
  while (end < lines.length && lines[end].includes("|")) end += 1;
  const rows = [lines[at], ...lines.slice(at + 2, end)].map(readRow);
  return [{ type: "table", rows }, end];
}

const readRow = (line) =>
  line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));

const delimits = (line) =>
  Boolean(line?.includes("|")) && readRow(line).every((cell) => DELIMITER.test(cell));

function readParagraph(lines, at) {
  let end = at + 1;
  while (end < lines.length && lines[end].trim() && !interrupts(lines[end])) end += 1;
  return [{ type: "paragraph", text: lines.slice(at, end).map((line) => line.trim()).join("\n") }, end];
}

const interrupts = (line) =>
  FENCE.test(line) || HEADING.test(line) || RULE.test(line) || QUOTE.test(line) || ITEM.test(line);

function readList(lines, at) {
  const [, margin, marker] = ITEM.exec(lines[at]);
  const ordered = /\d/.test(marker);
  const list = { type: "list", ordered, start: ordered ? parseInt(marker, 10) : 1, items: [] };
  while (at < lines.length) {
    const item = ITEM.exec(lines[at]);
    const sibling = item && item[1].length <= margin.length + 1 && /\d/.test(item[2]) === ordered;
    if (!sibling || RULE.test(lines[at])) break;
    const inset = item[1].length + item[2].length + 1;
    const end = endOfItem(lines, at, item[1].length + 2);
    const rest = lines.slice(at + 1, end).map((line) => dedent(line, inset));
    list.items.push([item[3], ...rest].join("\n"));
    at = end;
  }
  return [list, at];
}

// An item continues over indented lines, lines that continue its paragraph, and blank lines before
// either more of itself or its next sibling.
function endOfItem(lines, at, inset) {
  let end = at + 1;
  while (end < lines.length) {
    if (lines[end].trim()) {
      const lazy = lines[end - 1].trim() && !interrupts(lines[end]);
      if (indent(lines[end]) < inset && !lazy) break;
      end += 1;
    } else {
      let next = end;
      while (next < lines.length && !lines[next].trim()) next += 1;
      if (next === lines.length || (indent(lines[next]) < inset && !ITEM.test(lines[next]))) break;
      end = next;
    }
  }
  return end;
}

const indent = (line) => line.length - line.trimStart().length;

const dedent = (line, most) => line.slice(Math.min(indent(line), most));

// Nodes

function render(block, depth) {
  if (depth > DEEPEST) return element("p", {}, block.source);
  return RENDER[block.type](block, depth + 1);
}

const RENDER = {
  heading: ({ level, text }, depth) => element(`h${Math.min(level + 2, 6)}`, { dir: "auto" }, ...inline(text, depth)),
  paragraph: ({ text }, depth) => element("p", { dir: "auto" }, ...inline(text, depth)),
  rule: () => element("hr"),
  quote: ({ text }, depth) => element("blockquote", {}, ...nested(text, depth)),
  code: ({ text, language }) =>
    element("pre", { tabIndex: 0 }, element("code", { dir: "ltr", title: language }, text)),
  table: ({ rows: [head, ...rows] }, depth) =>
    element("div", { className: "table", tabIndex: 0 },
      element("table", {}, row(head, "th", depth), ...rows.map((cells) => row(cells, "td", depth)))),
  list: ({ ordered, start, items }, depth) =>
    element(ordered ? "ol" : "ul", ordered ? { start } : {}, ...items.map((text) => item(text, depth))),
};

const nested = (text, depth) => blocks(text).map((block) => render(block, depth));

const row = (cells, kind, depth) =>
  element("tr", {}, ...cells.map((cell) => element(kind, { dir: "auto" }, ...inline(cell, depth))));

function item(text, depth) {
  const [first, ...rest] = blocks(text);
  if (first?.type !== "paragraph") return element("li", {}, ...nested(text, depth));
  const tail = rest.map((block) => render(block, depth));
  return element("li", { dir: "auto" }, ...inline(first.text, depth), ...tail);
}

// Words

const ESCAPE = /\\([!-/:-@[-`{-~])/y;
const ENTITY = /&(amp|lt|gt|quot|apos|nbsp|#39);/y;
const LINK = /!?\[([^[\]]*)\]\(\s*<?((?:[^\s()<>]|\([^\s()<>]*\))*)>?(?:\s+"[^"\n]*")?\s*\)/y;
const ADDRESS = /<?(https:\/\/[^\s<>"'`]+)>?/y;
const MARK = /\*\*\*|\*\*|__|~~|\*|_/y;
const SPECIAL = /[\\&`![<h*_~\n]/g;
const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", "#39": "'" };
const MARKS = { "***": ["strong", "em"], "**": ["strong"], __: ["strong"], "~~": ["s"], "*": ["em"], _: ["em"] };
const WORD = /[\p{L}\p{N}]/u;

const match = (pattern, text, at) => {
  pattern.lastIndex = at;
  return pattern.exec(text);
};

function inline(text, depth) {
  const nodes = [];
  const unclosed = new Set();
  let words = "";
  const put = (...made) => {
    if (words) nodes.push(words);
    words = "";
    nodes.push(...made);
  };
  let at = 0;
  while (at < text.length) {
    const special = match(SPECIAL, text, at);
    const next = special ? special.index : text.length;
    words += text.slice(at, next);
    at = next;
    if (!special) break;
    const found = readInline(text, at, depth, unclosed);
    if (found?.words !== undefined) words += found.words;
    else if (found) put(...found.nodes);
    else words += text[at];
    at = found ? found.end : at + 1;
  }
  put();
  return nodes;
}

function readInline(text, at, depth, unclosed) {
  const here = text[at];
  if (here === "\n") return { nodes: [element("br")], end: at + 1 };
  if (here === "\\") return readSign(match(ESCAPE, text, at), at, (sign) => sign);
  if (here === "&") return readSign(match(ENTITY, text, at), at, (name) => ENTITIES[name]);
  if (here === "`") return readCodeSpan(text, at, unclosed);
  if (here === "[" || here === "!") return readLink(match(LINK, text, at), at, depth);
  if (here === "<" || here === "h") return readAddress(match(ADDRESS, text, at), text, at);
  return readMark(text, at, depth, unclosed);
}

const readSign = (found, at, sign) => found && { words: sign(found[1]), end: at + found[0].length };

function readCodeSpan(text, at, unclosed) {
  const ticks = /`+/y;
  const fence = match(ticks, text, at)[0];
  if (unclosed.has(fence)) return { words: fence, end: at + fence.length };
  const start = at + fence.length;
  let end = text.indexOf(fence, start);
  while (end >= 0 && (text[end + fence.length] === "`" || text[end - 1] === "`")) {
    end = text.indexOf(fence, end + match(/`*/y, text, end)[0].length);
  }
  if (end < 0) {
    unclosed.add(fence);
    return { words: fence, end: start };
  }
  let code = text.slice(start, end);
  if (code.startsWith(" ") && code.endsWith(" ") && code.trim()) code = code.slice(1, -1);
  return { nodes: [element("code", { dir: "ltr" }, code)], end: end + fence.length };
}

// A link shows its address after its words. Pictures on other servers are not loaded.
function readLink(found, at, depth) {
  if (!found) return null;
  const end = at + found[0].length;
  const [whole, words, address] = found;
  if (whole.startsWith("!")) return { words, end };
  const link = anchor(address, depth > DEEPEST ? [words] : inline(words, depth + 1));
  if (!link) return null;
  const host = element("span", { className: "host" }, ` (${new URL(address).host})`);
  return { nodes: words.includes(new URL(address).host) ? [link] : [link, host], end };
}

function readAddress(found, text, at) {
  if (!found || (at > 0 && text[at] === "h" && WORD.test(text[at - 1]))) return null;
  const bracketed = found[0].startsWith("<");
  const address = bracketed ? found[1] : withoutPunctuation(found[1]);
  const link = anchor(address, [address]);
  return link && { nodes: [link], end: at + (bracketed ? found[0].length : address.length) };
}

function withoutPunctuation(address) {
  let end = address.length;
  while (".,:;!?)]}*_~".includes(address[end - 1])) end -= 1;
  return address.slice(0, end);
}

function anchor(address, words) {
  if (!address.startsWith("https://") || !URL.canParse(address)) return null;
  const link = element("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, ...words);
  link.querySelectorAll("a").forEach((inner) => inner.replaceWith(inner.textContent));
  return link;
}

function readMark(text, at, depth, unclosed) {
  const mark = match(MARK, text, at)?.[0];
  if (!mark || depth > DEEPEST || unclosed.has(mark)) return mark ? { words: mark, end: at + mark.length } : null;
  const start = at + mark.length;
  const inWord = mark[0] === "_" && at > 0 && WORD.test(text[at - 1]);
  if (inWord || !text[start] || /\s/.test(text[start])) return { words: mark, end: start };
  const end = closingMark(text, start, mark);
  if (end < 0) {
    unclosed.add(mark);
    return { words: mark, end: start };
  }
  const inner = inline(text.slice(start, end), depth + 1);
  const nodes = MARKS[mark].reduceRight((made, name) => [element(name, {}, ...made)], inner);
  return { nodes, end: end + mark.length };
}

function closingMark(text, start, mark) {
  for (let end = text.indexOf(mark, start + 1); end >= 0; end = text.indexOf(mark, end + 1)) {
    const escaped = text[end - 1] === "\\";
    const part = mark.length === 1 && (text[end + 1] === mark || text[end - 1] === mark);
    const inWord = mark[0] === "_" && WORD.test(text[end + mark.length] ?? "");
    if (!/\s/.test(text[end - 1]) && !escaped && !part && !inWord) return end;
  }
  return -1;
}
