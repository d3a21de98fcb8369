// One message of the conversation on the screen.

import { fileUrl } from "./api.js";
import { element } from "./elements.js";
import { fileNode, missing } from "./files.js";
import { contactSheet, linkTimes } from "./frames.js";
import { show } from "./markdown.js";
import { canvas, cite } from "./pointing.js";

export const isPlaceholder = (message) => message.stage === "opening" || message.stage === "progress";

export class MessageView {
  #body;
  #foot = element("p", { className: "foot", hidden: true });
  #buttons = element("div", { className: "actions", hidden: true });
  #files = element("ul", { className: "strip", hidden: true });
  #figures = element("div", { className: "figures", hidden: true });
  #illustrations = new Set();
  #frames = [];

  // hooks: press(command) for a button under a message, view(pictures, index) to enlarge one.
  constructor(message, conversation, hooks) {
    this.conversation = conversation;
    this.hooks = hooks;
    const user = message.by === "user";
    this.#body = element("div", { className: user ? "words" : "markdown", dir: "auto" });
    const who = element("span", { className: "visually-hidden" }, user ? "You said: " : "Loupe said: ");
    const box = element("div", { className: "box" }, who, this.#files, this.#body, this.#figures, this.#foot, this.#buttons);
    this.node = element("li", { className: `message ${user ? "user" : "loupe"}`, title: new Date(message.at).toLocaleString() });
    if (!user) this.node.append(element("img", { src: "/page/static/mark.svg", alt: "", className: "face" }));
    this.node.append(box);
    this.node.dataset.asks = message.asks;
    this.update(message);
    this.illustrate(message.picture ? [message] : []);
  }

  update(message) {
    this.message = message;
    this.node.dataset.stage = message.stage;
    if (message.by === "user") this.#body.textContent = message.text;
    else {
      show(this.#body, message.text);
      cite(this.#body, message.citations ?? []);
      linkTimes(this.#body, this.#frames);
    }
    this.#body.hidden = !message.text;
    this.#showFoot(message);
    this.#showButtons(message);
    if (!this.#files.childElementCount) this.#showFiles(message.files);
  }

  #showFoot({ stage, generated, stopped }) {
    const notes = [generated && "AI-generated", stopped && "stopped"].filter(Boolean).join(", ");
    this.#foot.textContent = notes.charAt(0).toUpperCase() + notes.slice(1);
    this.#foot.hidden = stage !== "final" || !notes;
  }

  #showButtons({ buttons }) {
    const nodes = buttons.map(({ title, command }) => {
      const button = element("button", { className: "button", type: "button" }, title);
      button.onclick = () => {
        this.#buttons.hidden = true;
        this.hooks.press(command);
      };
      return button;
    });
    this.#buttons.replaceChildren(...nodes);
    this.#buttons.hidden = !nodes.length;
  }

  #showFiles(files) {
    this.#files.append(...files.map((file) => this.#file(file)));
    this.#files.hidden = !files.length;
  }

  #file(file) {
    return element("li", {}, fileNode(file, fileUrl(this.conversation, file.ref), (picture) => this.hooks.view([picture])));
  }

  // Shows photos with outlines and contact sheets, which arrive as separate messages, in the answer
  // that they belong to.
  illustrate(messages) {
    const additions = messages.filter(({ id }) => !this.#illustrations.has(id));
    additions.forEach(({ id }) => this.#illustrations.add(id));
    this.#figures.append(...additions.map(({ picture }) => this.#figure(picture)));
    this.#figures.hidden = !this.#figures.childElementCount;
    linkTimes(this.#body, this.#frames);
  }

  #figure(picture) {
    return picture.frames?.length ? this.#sheet(picture) : this.#photo(this.#located(picture));
  }

  #located(picture) {
    return { ...picture, url: fileUrl(this.conversation, picture.ref) };
  }

  #photo(picture) {
    const enlarge = element("button", { className: "plain", type: "button" }, "Enlarge");
    enlarge.onclick = () => this.hooks.view([picture]);
    const caption = element("figcaption", {}, element("span", { className: "caption" }, picture.name), enlarge);
    const photo = canvas(picture.url, picture);
    const figure = element("figure", { className: "figure" }, photo, caption);
    photo.querySelector("img").onerror = () => missing(picture.url, picture.name, figure);
    return figure;
  }

  #sheet({ name, frames }) {
    const located = frames.map((frame) => this.#located(frame));
    const view = (at) => this.hooks.view(located, at);
    this.#frames.push(...located.map((frame, at) => ({ ...frame, show: () => view(at) })));
    return contactSheet(name, located, view);
  }
}
