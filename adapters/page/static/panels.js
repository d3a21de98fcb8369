// What opens over the page: the confirmation, the raw JSON, an enlarged photo, a toast.

import { readFile } from "./api.js";
import { element, find } from "./elements.js";
import { firstCode, plain, show } from "./markdown.js";
import { canvas } from "./pointing.js";

const PASSING = 7000;
const TRANSCRIPT = "transcript.json";
const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

export class Toast {
  #box = find("toast");
  #timer = 0;

  show(text) {
    clearTimeout(this.#timer);
    this.#box.textContent = plain(text).join(" ");
    this.#timer = setTimeout(() => (this.#box.textContent = ""), PASSING);
  }
}

// Shows a message with buttons as a question; closing it presses the last button, which cancels.
export class Confirm {
  #dialog = find("confirm");
  #message = null;
  #asked = "";

  constructor(press) {
    this.#dialog.addEventListener("close", () => {
      const command = this.#dialog.returnValue || this.#message?.buttons.at(-1).command;
      if (this.#message) press(command);
      this.#message = null;
      find("system").focus();
    });
  }

  ask(message) {
    if (this.#asked === message.id) return;
    this.#asked = message.id;
    this.#message = message;
    show(this.#dialog.querySelector(".markdown"), message.text);
    const buttons = message.buttons.map(({ title, command }) => {
      const button = element("button", { className: "button", type: "button" }, title);
      button.onclick = () => this.#dialog.close(command);
      return button;
    });
    this.#dialog.querySelector(".actions").replaceChildren(...buttons);
    this.#dialog.returnValue = "";
    if (!this.#dialog.open) this.#dialog.showModal();
    buttons[0].focus();
  }

  // Closes without pressing a button, after the question was answered elsewhere.
  settle() {
    if (!this.#message) return;
    this.#message = null;
    this.#dialog.close();
  }
}

export class RawJson {
  #dialog = find("raw");
  #text = find("raw-text");
  #status = find("raw-status");
  #asked = "";

  constructor(conversation) {
    this.conversation = conversation;
    find("raw-close").addEventListener("click", () => this.#dialog.close());
    find("raw-copy").addEventListener("click", () => this.#copy());
    find("raw-download").addEventListener("click", () => this.#download());
  }

  // Opens and waits for the answer to a message.
  open(message) {
    this.#asked = message;
    this.#tell("Loading the transcript…");
    this.#enable(false);
    this.#dialog.showModal();
  }

  fail(sentence) {
    this.#tell(sentence);
  }

  // Shows a message if it answers the request for the transcript; resolves to whether it does.
  async take(message) {
    if (!this.#asked || message.asks !== this.#asked) return false;
    const file = message.files.find(({ name }) => name === TRANSCRIPT);
    if (file) await readFile(this.conversation, file.ref).then((text) => this.#show(text), (error) => this.#tell(error.message));
    else if (firstCode(message.text) !== undefined) this.#show(firstCode(message.text));
    else this.#tell(message.text);
    return true;
  }

  #show(text) {
    try {
      this.#text.textContent = JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      this.#text.textContent = text;
    }
    this.#tell("");
    this.#enable(true);
    this.#text.focus();
  }

  #tell(sentence) {
    this.#status.textContent = sentence;
    this.#status.hidden = !sentence;
  }

  #enable(ready) {
    this.#text.hidden = !ready;
    find("raw-copy").disabled = find("raw-download").disabled = !ready;
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.#text.textContent);
      this.#tell("Copied.");
    } catch {
      getSelection().selectAllChildren(this.#text);
      this.#tell("Selected. Press Ctrl+C to copy.");
    }
  }

  #download() {
    const url = URL.createObjectURL(new Blob([this.#text.textContent], { type: "application/json" }));
    element("a", { href: url, download: TRANSCRIPT }).click();
    setTimeout(() => URL.revokeObjectURL(url), PASSING);
  }
}

// Shows one of several pictures enlarged; the arrow keys move to the next and the previous one.
export class Viewer {
  #dialog = find("viewer");
  #turns = new Map([[find("viewer-earlier"), -1], [find("viewer-later"), 1]]);
  #pictures = [];
  #at = 0;

  constructor() {
    this.#dialog.addEventListener("click", ({ target }) => this.#pressed(target.closest("button")));
    this.#dialog.addEventListener("keydown", ({ key }) => this.#turn(STEPS[key] ?? 0));
  }

  show(pictures, at = 0) {
    this.#pictures = pictures;
    for (const button of this.#turns.keys()) button.hidden = pictures.length < 2;
    this.#put(at);
    this.#dialog.showModal();
  }

  #pressed(button) {
    if (this.#turns.has(button)) this.#turn(this.#turns.get(button));
    else this.#dialog.close();
  }

  #turn(step) {
    if (step && this.#pictures[this.#at + step]) this.#put(this.#at + step);
  }

  #put(at) {
    const { length, [at]: picture } = this.#pictures;
    this.#at = at;
    find("viewer-photo").replaceChildren(canvas(picture.url, picture));
    find("viewer-name").textContent = length < 2 ? picture.name : `${picture.name} (${at + 1} of ${length})`;
    for (const [button, step] of this.#turns) button.ariaDisabled = String(!this.#pictures[at + step]);
  }
}
