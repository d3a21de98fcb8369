// Follows a conversation: the changes since a version, then every new one.

import { readState } from "./api.js";

const FIRST_WAIT = 1000;
const LONGEST_WAIT = 15000;

export class Stream {
  #conversation;
  #version = 0;
  #begun = false;
  #source = null;
  #wait = FIRST_WAIT;
  #timer = 0;

  // onChanges(messages, first); onLink(trouble): a sentence, or empty while the connection is up.
  constructor(conversation, onChanges, onLink) {
    this.#conversation = conversation;
    this.onChanges = onChanges;
    this.onLink = onLink;
    // Browsers allow six connections to a host, so pages in the background close theirs.
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#close() : this.#open()));
    addEventListener("online", () => this.#open());
    this.#open();
  }

  #open() {
    if (this.#source && this.#source.readyState !== EventSource.CLOSED) return;
    this.#close();
    const query = new URLSearchParams({ conversation: this.#conversation, version: this.#version });
    this.#source = new EventSource(`/page/stream?${query}`);
    this.#source.onopen = () => {
      this.#wait = FIRST_WAIT;
      this.onLink("");
    };
    this.#source.onmessage = (event) => this.#take(JSON.parse(event.data));
    this.#source.onerror = () => this.#lost();
  }

  #close() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  #take({ version, messages }) {
    const first = !this.#begun;
    this.#begun = true;
    this.#version = version;
    this.onChanges(messages, first);
  }

  // The browser reconnects by itself, unless the server refused the connection.
  async #lost() {
    this.onLink("Reconnecting…");
    if (this.#source?.readyState !== EventSource.CLOSED) return;
    const ended = await readState(this.#conversation).then(() => "", (error) => error.status === 401 && error.message);
    if (ended) return this.onLink(ended);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => document.hidden || this.#open(), this.#wait);
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
  }
}
