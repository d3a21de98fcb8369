// The conversation: the order of its messages, what screen readers announce, and whether Loupe is
// answering.

import { element, find } from "./elements.js";
import { plain } from "./markdown.js";
import { MessageView, isPlaceholder } from "./message.js";
import { Pointing } from "./pointing.js";

const NEAR = 80;
const READ_OUT = 60_000;

export class Conversation {
  #messages = new Map();
  #views = new Map();
  #list = find("messages");
  #scroll = find("scroll");
  #log = find("log");
  #latest = find("latest");
  #atEnd = true;
  #top = 0;

  // hooks: those of MessageView, and busy(yes), answered(), quiet(message, live) for messages of a
  // control.
  constructor(id, hooks) {
    this.id = id;
    this.hooks = hooks;
    this.#scroll.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#latest.addEventListener("click", () => this.toEnd());
    new Pointing(this.#list);
    new ResizeObserver(() => this.#atEnd && this.toEnd()).observe(this.#list);
  }

  take(messages, first) {
    for (const message of messages) {
      const before = this.#messages.get(message.id);
      this.#messages.set(message.id, message);
      if (message.quiet) this.hooks.quiet(message, !first);
      else if (!first) this.#announceChange(message, before);
      if (!first && message.by === "user" && !message.quiet) this.#atEnd = true;
    }
    this.#arrange();
    if (first) this.toEnd();
    this.hooks.busy(this.#busy());
  }

  // Removes a message that was not accepted.
  drop(id) {
    this.#messages.delete(id);
    this.#views.get(id)?.node.remove();
    this.#views.delete(id);
    this.#arrange();
    this.hooks.busy(this.#busy());
  }

  lastQuiet() {
    return this.#all().filter((message) => message.quiet).at(-1);
  }

  toEnd() {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
    this.#atEnd = true;
    this.#latest.hidden = true;
  }

  #all() {
    return [...this.#messages.values()].sort((one, other) => this.#place(one) - this.#place(other));
  }

  // The answer to photos without words comes after the words that followed them.
  #place(message) {
    const question = this.#messages.get(message.asks);
    if (question && !question.text) return message.began || Number.MAX_SAFE_INTEGER;
    return message.order;
  }

  #arrange() {
    const all = this.#all().filter((message) => !message.quiet && !this.#replaced(message));
    const visible = all.filter((message) => !this.#host(message, all));
    for (const [id, view] of this.#views) {
      if (!visible.some((message) => message.id === id)) {
        view.node.remove();
        this.#views.delete(id);
      }
    }
    visible.forEach((message, index) => this.#put(message, index));
    for (const message of all) this.#views.get(this.#host(message, all)?.id)?.illustrate([message]);
    find("empty").hidden = visible.length > 0;
  }

  #put(message, index) {
    const view = this.#views.get(message.id) ?? new MessageView(message, this.id, this.hooks);
    if (view.message !== message) view.update(message);
    this.#views.set(message.id, view);
    const here = this.#list.children[index];
    if (here !== view.node) this.#list.insertBefore(view.node, here ?? null);
  }

  // Returns the answer in which a photo with outlines is shown.
  #host(message, all) {
    if (!message.picture) return undefined;
    return all.filter((other) => other.by === "loupe" && !other.picture && other.asks === message.asks).at(-1);
  }

  // Returns whether a placeholder is obsolete, because the answer was sent as a new message.
  #replaced(message) {
    if (message.by !== "loupe" || !isPlaceholder(message)) return false;
    return [...this.#messages.values()].some(
      (other) => other.asks === message.asks && other.order > message.order && !isPlaceholder(other),
    );
  }

  #busy() {
    const all = [...this.#messages.values()];
    const open = (message) => message.by === "loupe" && !message.quiet && message.stage !== "final" && !this.#replaced(message);
    if (all.some(open)) return true;
    const lastQuestion = Math.max(0, ...all.filter((message) => message.by === "user" && !message.quiet).map((message) => message.order));
    const lastAnswer = Math.max(0, ...all.filter((message) => message.by === "loupe").map((message) => message.changed));
    return lastQuestion > lastAnswer;
  }

  // Announces complete answers, paragraph by paragraph, never the growing text.
  #announceChange(message, before) {
    if (message.by !== "loupe" || before?.stage === "final") return;
    if (message.stage === "final") {
      const alt = message.picture ? [message.picture.alt] : [];
      this.#announce([...plain(message.text), ...message.files.map((file) => file.name), ...alt]);
      this.hooks.answered();
    } else if (!before && isPlaceholder(message)) this.#announce([message.text]);
  }

  #announce(texts) {
    const paragraphs = texts.map((text) => element("p", {}, text));
    this.#log.append(...paragraphs);
    setTimeout(() => paragraphs.forEach((node) => node.remove()), READ_OUT);
  }

  // Only scrolling up leaves the end; content that grows there, such as a loading photo, does not.
  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroll;
    const near = scrollHeight - scrollTop - clientHeight < NEAR;
    this.#atEnd = near || (this.#atEnd && scrollTop >= this.#top);
    this.#top = scrollTop;
    this.#latest.hidden = this.#atEnd;
  }
}
