// Numbers in the text and outlines on the photo: hovering over one highlights the other, and a
// click on one scrolls to the other.

import { element, replaceWords } from "./elements.js";

const SVG = "http://www.w3.org/2000/svg";
const HUES = 7;
const NUMBER = /\[([1-9]\d?)\]/g;
// A smaller photo is enlarged to this many pixels, so that its numbers do not hide it.
const SMALLEST = 320;
const GAP = 4;

const marked = (number) => ({ className: `hue${(number - 1) % HUES}`, type: "button" });

// Turns the cited numbers of a text into buttons.
export function cite(box, citations) {
  const names = new Map(citations.map(({ number, name }) => [String(number), name]));
  if (!names.size) return;
  replaceWords(box, NUMBER, ([, number]) => names.has(number) && button("cite", number, names.get(number)));
}

// Returns a photo with its outlines drawn over it.
export function canvas(url, { alt, outlines }) {
  const image = element("img", { src: url, alt, decoding: "async" });
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 1 1");
  drawing.setAttribute("preserveAspectRatio", "none");
  drawing.ariaHidden = "true";
  const boxes = outlines.map(({ polygon }) => bounds(polygon));
  // Large outlines come first, so that small ones lie on top of them.
  const order = [...boxes.keys()].sort((one, other) => area(boxes[one]) - area(boxes[other]));
  drawing.append(...[...order].reverse().map((at) => shape(outlines[at])));
  const badges = outlines.map(({ number, label }) => button("badge", number, label));
  image.onload = () => {
    const scale = SMALLEST / Math.max(image.naturalWidth, image.naturalHeight);
    if (scale > 1) image.width = Math.round(image.naturalWidth * scale);
  };
  new ResizeObserver(() => layOut(image, outlines, badges, order)).observe(image);
  return element("div", { className: "canvas" }, image, drawing, ...badges);
}

function button(kind, number, name) {
  const made = element("button", { ...marked(number), title: name, ariaLabel: `${number}: ${name}` }, String(number));
  made.classList.add(kind);
  made.dataset.mark = number;
  return made;
}

// Dark, light and coloured lines, so that one of them contrasts with any background.
function shape({ number, polygon }) {
  const group = document.createElementNS(SVG, "g");
  group.classList.add(marked(number).className);
  group.dataset.mark = number;
  for (let line = 0; line < 3; line += 1) {
    const drawn = document.createElementNS(SVG, "polygon");
    drawn.setAttribute("points", polygon.map((corner) => corner.join(",")).join(" "));
    group.append(drawn);
  }
  return group;
}

// Places

function bounds(polygon) {
  const [across, down] = [0, 1].map((axis) => polygon.map((corner) => corner[axis]));
  const [left, top] = [Math.min(...across), Math.min(...down)];
  return { left, top, width: Math.max(...across) - left, height: Math.max(...down) - top };
}

const distance = ({ left, top, width, height }, polygon) =>
  Math.min(...polygon.map(([x, y]) => Math.hypot(left + width / 2 - x, top + height / 2 - y)));

const area = ({ width, height }) => width * height;

function overlap(one, other) {
  const shared = (start, length) =>
    Math.min(one[start] + one[length], other[start] + other[length]) - Math.max(one[start], other[start]);
  return Math.max(0, shared("left", "width")) * Math.max(0, shared("top", "height"));
}

// Puts each number near its outline, where it covers as little else as possible; the outlines with
// the smallest area come first.
function layOut(image, outlines, badges, order) {
  const room = { wide: image.clientWidth, high: image.clientHeight };
  const polygons = outlines.map(({ polygon }) => polygon.map(([x, y]) => [x * room.wide, y * room.high]));
  const boxes = polygons.map(bounds);
  const placed = [];
  for (const at of order) {
    const { offsetWidth: width, offsetHeight: height } = badges[at];
    const spots = around(boxes[at], { width, height }, room);
    const costs = spots.map((spot) => distance(spot, polygons[at]) + covered(spot, placed, boxes));
    const best = spots[costs.indexOf(Math.min(...costs))];
    badges[at].style.left = `${best.left}px`;
    badges[at].style.top = `${best.top}px`;
    placed.push(best);
  }
}

// Returns the area that a spot covers; covering another number costs most.
function covered(spot, placed, boxes) {
  const numbers = placed.map((other) => 9 * overlap(spot, other));
  return [...numbers, ...boxes.map((box) => overlap(spot, box))].reduce((sum, shared) => sum + shared, 0);
}

function around({ left, top, width, height }, size, { wide, high }) {
  const [right, bottom] = [left + width, top + height];
  const above = top - GAP - size.height;
  const before = left - GAP - size.width;
  const end = right - size.width;
  const middle = (left + end) / 2;
  const level = (top + bottom - size.height) / 2;
  const places = [
    ...[left, middle, end].flatMap((x) => [[x, above], [x, bottom + GAP]]),
    ...[top, level, bottom - size.height].flatMap((y) => [[right + GAP, y], [before, y]]),
    [before, above], [right + GAP, above], [before, bottom + GAP], [right + GAP, bottom + GAP],
    [left + GAP, top + GAP], [end - GAP, bottom - GAP - size.height],
  ];
  const within = (start, room) => Math.max(0, Math.min(start, room));
  return places.map(([x, y]) => ({ left: within(x, wide - size.width), top: within(y, high - size.height), ...size }));
}

// Pointer and focus

export class Pointing {
  #list;
  #over = null;
  #focused = null;

  // Links the elements of one number, in an answer and in its photos.
  constructor(list) {
    this.#list = list;
    const mark = ({ target }) => target.closest("[data-mark]");
    list.addEventListener("pointerover", (event) => this.#light((this.#over = mark(event)), this.#focused));
    list.addEventListener("pointerleave", () => this.#light((this.#over = null), this.#focused));
    list.addEventListener("focusin", (event) => this.#light(this.#over, (this.#focused = mark(event))));
    list.addEventListener("focusout", () => this.#light(this.#over, (this.#focused = null)));
    list.addEventListener("click", (event) => mark(event) && this.#follow(mark(event)));
  }

  #light(...pointed) {
    const lit = new Set(pointed.filter(Boolean).flatMap((node) => this.#same(node)));
    for (const node of this.#list.querySelectorAll("[data-mark]")) node.classList.toggle("lit", lit.has(node));
  }

  #same(node) {
    const asks = CSS.escape(node.closest(".message").dataset.asks);
    return [...this.#list.querySelectorAll(`.message[data-asks="${asks}"] [data-mark="${node.dataset.mark}"]`)];
  }

  // Moves from the text to the photo, or back.
  #follow(node) {
    const goal = node.matches(".cite") ? ".badge" : ".cite";
    const found = this.#same(node).find((other) => other.matches(goal));
    found?.focus({ preventScroll: true });
    (found?.closest(".canvas") ?? found)?.scrollIntoView({ block: "nearest" });
  }
}
