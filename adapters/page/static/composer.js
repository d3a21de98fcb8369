// The message box: words, files by button, paste and drop, Send, and Stop while Loupe answers.

import { newMessage, post, upload } from "./api.js";
import { element, find } from "./elements.js";
import { onUnplayable } from "./files.js";

const TALLEST = 0.4;
const NOT_ATTACHED = "One file could not be attached. Please remove it or attach it again.";

export class Composer {
  #words = find("words");
  #send = find("send");
  #trouble = find("trouble");
  #thumbs = find("thumbs");
  #files = [];
  #busy = false;
  #sending = false;
  #attempt = { id: "", content: "" };

  // hooks: stop(), sent() when a message was accepted, refused(id) when it was not.
  constructor(conversation, hooks) {
    this.conversation = conversation;
    this.hooks = hooks;
    this.most = { picture: Infinity, any: Infinity };
    this.#words.value = sessionStorage.getItem(this.#draft) ?? "";
    find("composer").addEventListener("submit", (event) => this.#submitted(event));
    this.#words.addEventListener("input", () => this.#typed());
    this.#words.addEventListener("keydown", (event) => this.#pressed(event));
    find("attach").addEventListener("click", () => find("picker").click());
    find("picker").addEventListener("change", (event) => this.#picked(event.target));
    addEventListener("paste", (event) => this.#pasted(event));
    this.#takeDrops();
    this.#typed();
    this.#words.focus();
  }

  get #draft() {
    return `draft:${this.conversation}`;
  }

  suggest(text) {
    this.#words.value = text;
    this.#typed();
    this.#words.focus();
  }

  setBusy(busy) {
    this.#busy = busy;
    this.#send.disabled = false;
    this.#send.classList.toggle("stop", busy);
    this.#send.title = busy ? "Stop" : "Send";
    this.#send.setAttribute("aria-label", this.#send.title);
  }

  // Words

  #typed() {
    this.#words.style.height = "auto";
    this.#words.style.height = `${Math.min(this.#words.scrollHeight, innerHeight * TALLEST)}px`;
    sessionStorage.setItem(this.#draft, this.#words.value);
  }

  #pressed(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#sendMessage();
  }

  #submitted(event) {
    event.preventDefault();
    if (this.#busy) {
      this.#send.disabled = true;
      this.hooks.stop();
    } else this.#sendMessage();
  }

  #say(sentence) {
    this.#trouble.textContent = sentence;
  }

  async #sendMessage() {
    const text = this.#words.value.trim();
    if (this.#sending || !(text || this.#files.length)) return;
    this.#sending = true;
    this.#say("");
    try {
      await Promise.all(this.#files.map((file) => file.done));
      if (this.#files.every((file) => file.ref)) await this.#post(text);
      else this.#say(NOT_ATTACHED);
    } catch (error) {
      this.#say(error.message);
      if (error.status === 503) this.hooks.refused(this.#attempt.id);
    }
    this.#sending = false;
  }

  // The same message sent again keeps its id, so that it is accepted only once.
  async #post(text) {
    const files = this.#files.map((file) => file.ref);
    const content = JSON.stringify([text, files]);
    if (this.#attempt.content !== content) this.#attempt = { id: newMessage(), content };
    await post({ conversation: this.conversation, id: this.#attempt.id, text, files });
    this.#attempt = { id: "", content: "" };
    if (this.#words.value.trim() === text) this.#words.value = "";
    this.#files.slice().forEach((file) => files.includes(file.ref) && this.#remove(file));
    this.#typed();
    this.#words.focus();
    this.hooks.sent();
  }

  // Files

  #picked(picker) {
    this.#attach(picker.files);
    picker.value = "";
    this.#words.focus();
  }

  #pasted(event) {
    const { files, types } = event.clipboardData ?? {};
    if (!files?.length || types.includes("text/plain") || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    this.#attach(files);
  }

  #takeDrops() {
    const sign = find("drop");
    const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
    addEventListener("dragover", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      sign.hidden = false;
    });
    addEventListener("dragleave", (event) => event.relatedTarget || (sign.hidden = true));
    addEventListener("drop", (event) => {
      sign.hidden = true;
      if (!carriesFiles(event)) return;
      event.preventDefault();
      this.#attach(event.dataTransfer.files);
    });
  }

  #attach(files) {
    this.#say("");
    for (const file of files) {
      const most = file.type.startsWith("image/") ? this.most.picture : this.most.any;
      if (file.size > most) this.#say(`“${file.name}” is too large. Please send a smaller copy.`);
      else this.#add(file);
    }
  }

  #add(file) {
    const name = file.name || "Picture";
    const held = { ref: "", url: URL.createObjectURL(file), abort: new AbortController() };
    held.bar = element("progress", { max: 1, value: 0, ariaLabel: `Uploading ${name}` });
    const remove = element("button", { type: "button", ariaLabel: `Remove ${name}`, title: `Remove ${name}` }, "×");
    remove.onclick = () => this.#removed(held);
    held.node = element("li", { className: "loading", title: name }, thumb(file, held.url, name), held.bar, remove);
    held.done = this.#upload(held, file, name);
    this.#files.push(held);
    this.#thumbs.append(held.node);
    this.#thumbs.hidden = false;
  }

  async #upload(held, file, name) {
    try {
      const onProgress = (share) => (held.bar.value = share);
      held.ref = (await upload(this.conversation, file, held.abort.signal, onProgress)).ref;
    } catch (error) {
      held.node.classList.add("failed");
      if (error.name !== "AbortError") this.#say(`“${name}” could not be attached. ${error.message}`);
    }
    held.node.classList.remove("loading");
    held.bar.remove();
  }

  #removed(held) {
    const next = held.node.nextElementSibling ?? held.node.previousElementSibling;
    this.#remove(held);
    (next?.querySelector("button") ?? this.#words).focus();
    this.#say("");
  }

  #remove(held) {
    held.abort.abort();
    URL.revokeObjectURL(held.url);
    held.node.remove();
    this.#files = this.#files.filter((file) => file !== held);
    this.#thumbs.hidden = !this.#files.length;
  }
}

// Returns a preview of a file before it is sent: its name where the browser cannot show it.
function thumb(file, src, name) {
  const showName = () => preview.replaceWith(element("span", { className: "file" }, name));
  const isVideo = file.type.startsWith("video/");
  const preview = isVideo
    ? element("video", { src, muted: true, playsInline: true, preload: "metadata", ariaLabel: name })
    : element("img", { src, alt: name });
  if (isVideo) onUnplayable(preview, showName);
  else preview.onerror = showName;
  return preview;
}
