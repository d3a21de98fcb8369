// Finds and creates elements of the page.

const KEEPS_WORDS = "code, a, button";

export const find = (id) => document.getElementById(id);

export function element(name, options = {}, ...children) {
  const node = Object.assign(document.createElement(name), options);
  node.append(...children);
  return node;
}

// Replaces matches of a pattern in the text of a box by what `make(match)` returns, if anything.
// Code, links and buttons are left alone.
export function replaceWords(box, pattern, make) {
  const walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts) {
    if (text.parentElement.closest(KEEPS_WORDS)) continue;
    const parts = [];
    let end = 0;
    for (const match of text.data.matchAll(pattern)) {
      const node = make(match);
      if (!node) continue;
      parts.push(text.data.slice(end, match.index), node);
      end = match.index + match[0].length;
    }
    if (parts.length) text.replaceWith(...parts, text.data.slice(end));
  }
}
