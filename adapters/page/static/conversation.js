// The conversation: notes in their places, what is read out, and whether Loupe is answering.

import { element, find } from "./elements.js";
import { plain } from "./markdown.js";
import { NoteView, isPlaceholder } from "./note.js";
import { Pointing } from "./pointing.js";

const NEAR = 80;
const READ_OUT = 60_000;

export class Conversation {
  #notes = new Map();
  #views = new Map();
  #list = find("notes");
  #scroll = find("scroll");
  #log = find("log");
  #latest = find("latest");
  #atEnd = true;
  #top = 0;

  // hooks: those of NoteView, and busy(yes), answered(), quiet(note, live) for what belongs to a
  // control.
  constructor(id, hooks) {
    this.id = id;
    this.hooks = hooks;
    this.#scroll.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#latest.addEventListener("click", () => this.toEnd());
    new Pointing(this.#list);
    new ResizeObserver(() => this.#atEnd && this.toEnd()).observe(this.#list);
  }

  take(notes, first) {
    for (const note of notes) {
      const before = this.#notes.get(note.id);
      this.#notes.set(note.id, note);
      if (note.quiet) this.hooks.quiet(note, !first);
      else if (!first) this.#tell(note, before);
      if (!first && note.by === "user" && !note.quiet) this.#atEnd = true;
    }
    this.#arrange();
    if (first) this.toEnd();
    this.hooks.busy(this.#busy());
  }

  // Takes back a note whose message was not accepted.
  drop(id) {
    this.#notes.delete(id);
    this.#views.get(id)?.node.remove();
    this.#views.delete(id);
    this.#arrange();
    this.hooks.busy(this.#busy());
  }

  lastQuiet() {
    return this.#all().filter((note) => note.quiet).at(-1);
  }

  toEnd() {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
    this.#atEnd = true;
    this.#latest.hidden = true;
  }

  #all() {
    return [...this.#notes.values()].sort((one, other) => this.#place(one) - this.#place(other));
  }

  // The answer to photos without words stands below the words that followed them.
  #place(note) {
    const asked = this.#notes.get(note.asks);
    if (asked && !asked.text) return note.began || Number.MAX_SAFE_INTEGER;
    return note.order;
  }

  #arrange() {
    const all = this.#all().filter((note) => !note.quiet && !this.#replaced(note));
    const shown = all.filter((note) => !this.#host(note, all));
    for (const [id, view] of this.#views) {
      if (!shown.some((note) => note.id === id)) {
        view.node.remove();
        this.#views.delete(id);
      }
    }
    shown.forEach((note, index) => this.#put(note, index));
    for (const note of all) this.#views.get(this.#host(note, all)?.id)?.illustrate([note]);
    find("empty").hidden = shown.length > 0;
  }

  #put(note, index) {
    const view = this.#views.get(note.id) ?? new NoteView(note, this.id, this.hooks);
    if (view.note !== note) view.update(note);
    this.#views.set(note.id, view);
    const here = this.#list.children[index];
    if (here !== view.node) this.#list.insertBefore(view.node, here ?? null);
  }

  // The answer that a photo with outlines is shown in.
  #host(note, all) {
    if (!note.picture) return undefined;
    return all.filter((other) => other.by === "loupe" && !other.picture && other.asks === note.asks).at(-1);
  }

  // A placeholder is left behind when the answer went out as a message of its own.
  #replaced(note) {
    if (note.by !== "loupe" || !isPlaceholder(note)) return false;
    return [...this.#notes.values()].some(
      (other) => other.asks === note.asks && other.order > note.order && !isPlaceholder(other),
    );
  }

  #busy() {
    const all = [...this.#notes.values()];
    const open = (note) => note.by === "loupe" && !note.quiet && note.stage !== "final" && !this.#replaced(note);
    if (all.some(open)) return true;
    const asked = Math.max(0, ...all.filter((note) => note.by === "user" && !note.quiet).map((note) => note.order));
    const told = Math.max(0, ...all.filter((note) => note.by === "loupe").map((note) => note.changed));
    return asked > told;
  }

  // Whole answers are told and read out, paragraph by paragraph, never the growing text.
  #tell(note, before) {
    if (note.by !== "loupe" || before?.stage === "final") return;
    if (note.stage === "final") {
      const shown = note.picture ? [note.picture.alt] : [];
      this.#announce([...plain(note.text), ...note.files.map((file) => file.name), ...shown]);
      this.hooks.answered();
    } else if (!before && isPlaceholder(note)) this.#announce([note.text]);
  }

  #announce(texts) {
    const said = texts.map((text) => element("p", {}, text));
    this.#log.append(...said);
    setTimeout(() => said.forEach((node) => node.remove()), READ_OUT);
  }

  // Only going up leaves the end: what grows there, such as a photo that loads, does not.
  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroll;
    const near = scrollHeight - scrollTop - clientHeight < NEAR;
    this.#atEnd = near || (this.#atEnd && scrollTop >= this.#top);
    this.#top = scrollTop;
    this.#latest.hidden = this.#atEnd;
  }
}
