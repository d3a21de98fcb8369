// Elements of the page: those that stand in it, and new ones.

const KEEPS_WORDS = "code, a, button";

export const find = (id) => document.getElementById(id);

export function element(name, options = {}, ...children) {
  const made = Object.assign(document.createElement(name), options);
  made.append(...children);
  return made;
}

// Replaces what matches a pattern in the words of a box by what `make(match)` gives, if anything.
// Code, links and buttons stay as they are.
export function replaceWords(box, pattern, make) {
  const walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts) {
    if (text.parentElement.closest(KEEPS_WORDS)) continue;
    const parts = [];
    let end = 0;
    for (const found of text.data.matchAll(pattern)) {
      const made = make(found);
      if (!made) continue;
      parts.push(text.data.slice(end, found.index), made);
      end = found.index + found[0].length;
    }
    if (parts.length) text.replaceWith(...parts, text.data.slice(end));
  }
}
