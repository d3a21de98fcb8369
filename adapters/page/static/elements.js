// Elements of the page: those that stand in it, and new ones.

export const find = (id) => document.getElementById(id);

export function element(name, options = {}, ...children) {
  const made = Object.assign(document.createElement(name), options);
  made.append(...children);
  return made;
}
