// One note of the conversation as people see it.

import { fileUrl } from "./api.js";
import { element } from "./elements.js";
import { show } from "./markdown.js";
import { canvas, cite } from "./pointing.js";

const EXTENSION = /\.([a-z0-9]{1,5})$/i;

export const isPlaceholder = (note) => note.stage === "opening" || note.stage === "progress";

const PICTURE_NAME = "Picture";

export class NoteView {
  #body;
  #foot = element("p", { className: "foot", hidden: true });
  #buttons = element("div", { className: "actions", hidden: true });
  #files = element("ul", { className: "strip", hidden: true });
  #figures = element("div", { className: "figures", hidden: true });
  #illustrations = new Set();

  // hooks: press(command) for a button under a note, view(url, name, picture) for a picture.
  constructor(note, conversation, hooks) {
    this.conversation = conversation;
    this.hooks = hooks;
    const user = note.by === "user";
    this.#body = element("div", { className: user ? "words" : "markdown", dir: "auto" });
    const who = element("span", { className: "unseen" }, user ? "You said: " : "Loupe said: ");
    const box = element("div", { className: "box" }, who, this.#files, this.#body, this.#figures, this.#foot, this.#buttons);
    this.node = element("li", { className: `note ${user ? "user" : "loupe"}`, title: new Date(note.at).toLocaleString() });
    if (!user) this.node.append(element("img", { src: "/page/static/mark.svg", alt: "", className: "face" }));
    this.node.append(box);
    this.node.dataset.asks = note.asks;
    this.update(note);
    this.illustrate(note.picture ? [note] : []);
  }

  update(note) {
    this.note = note;
    this.node.dataset.stage = note.stage;
    if (note.by === "user") this.#body.textContent = note.text;
    else {
      show(this.#body, note.text);
      cite(this.#body, note.citations ?? []);
    }
    this.#body.hidden = !note.text;
    this.#showFoot(note);
    this.#showButtons(note);
    if (!this.#files.childElementCount) this.#showFiles(note.files);
  }

  #showFoot({ stage, generated, stopped }) {
    const told = [generated && "AI-generated", stopped && "stopped early"].filter(Boolean).join(", ");
    this.#foot.textContent = told.charAt(0).toUpperCase() + told.slice(1);
    this.#foot.hidden = stage !== "final" || !told;
  }

  #showButtons({ buttons }) {
    const made = buttons.map(({ title, command }) => {
      const button = element("button", { className: "button", type: "button" }, title);
      button.onclick = () => {
        this.#buttons.hidden = true;
        this.hooks.press(command);
      };
      return button;
    });
    this.#buttons.replaceChildren(...made);
    this.#buttons.hidden = !made.length;
  }

  #showFiles(files) {
    this.#files.append(...files.map((file) => this.#frame(file)));
    this.#files.hidden = !files.length;
  }

  #frame(file) {
    const url = fileUrl(this.conversation, file.ref);
    return element("li", {}, file.media_type ? this.#picture(file, url) : chip(file, url));
  }

  #picture(file, url) {
    const name = file.name || PICTURE_NAME;
    const picture = element("img", { src: url, alt: name, loading: "lazy", decoding: "async" });
    const button = element("button", { className: "frame", type: "button", title: `Enlarge ${name}` });
    button.append(picture, element("span", { className: "caption", ariaHidden: "true" }, name));
    button.onclick = () => this.hooks.view(url, name);
    picture.onerror = () => missing(url, name, button);
    return button;
  }

  // Shows photos with outlines, which come as notes of their own, in the answer that they belong to.
  illustrate(notes) {
    const fresh = notes.filter(({ id }) => !this.#illustrations.has(id));
    fresh.forEach(({ id }) => this.#illustrations.add(id));
    this.#figures.append(...fresh.map(({ picture }) => this.#figure(picture)));
    this.#figures.hidden = !this.#figures.childElementCount;
  }

  #figure(picture) {
    const url = fileUrl(this.conversation, picture.ref);
    const enlarge = element("button", { className: "plain", type: "button" }, "Enlarge");
    enlarge.onclick = () => this.hooks.view(url, picture.name, picture);
    const caption = element("figcaption", {}, element("span", { className: "caption" }, picture.name), enlarge);
    const photo = canvas(url, picture);
    const figure = element("figure", { className: "figure" }, photo, caption);
    photo.querySelector("img").onerror = () => missing(url, picture.name, figure);
    return figure;
  }
}

const GONE = [404, 410];

const isGone = (url) =>
  fetch(url, { method: "HEAD" }).then(({ status }) => GONE.includes(status), () => false);

async function missing(url, name, place) {
  const why = (await isGone(url)) ? "is no longer kept" : "cannot be shown";
  place.replaceWith(element("span", { className: "file" }, `${name} ${why}`));
}

function chip(file, url) {
  const kind = EXTENSION.exec(file.name)?.[1].toUpperCase() ?? "File";
  const name = file.name || "File";
  return element(
    "a",
    { className: "file", href: `${url}?download`, download: name },
    element("span", { className: "kind", ariaHidden: "true" }, kind),
    name,
  );
}
