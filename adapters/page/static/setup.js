// The setup pane: the settings in effect in this conversation, and the controls that change them.

import { readRecent, readState } from "./api.js";
import { element, find } from "./elements.js";

const NOT_APPLIED = "Not applied to this conversation yet.";
const WAITING = "Sent. You will be asked to confirm.";

export class Setup {
  #system = find("system");
  #apply = find("apply");
  #status = find("system-status");
  #model = find("model");
  #vision = find("vision");
  #inEffect = null;
  #drawer = new Drawer();

  // hooks: command(text) sends a command and resolves to whether it was accepted; loaded(state).
  constructor(conversation, hooks) {
    this.conversation = conversation;
    this.hooks = hooks;
    this.#system.addEventListener("input", () => this.#edited());
    this.#apply.addEventListener("click", () => this.#applied());
    this.#model.addEventListener("change", () => this.#command(`/model ${this.#model.value}`));
    this.#vision.addEventListener("click", () => this.#command(`/vision ${this.#isOn() ? "off" : "on"}`));
  }

  // The text that is typed but not applied; a new conversation starts with it.
  get draft() {
    return this.#system.value;
  }

  closeDrawer() {
    return this.#drawer.close();
  }

  async refresh(draft = null) {
    const state = await readState(this.conversation).catch(() => null);
    if (!state) return;
    const untouched = !this.#inEffect || this.#system.value === this.#inEffect.system;
    if (untouched) this.#system.value = draft || state.system;
    this.#inEffect = state;
    this.#edited();
    this.#showModels(state);
    this.#showVision(state);
    this.hooks.loaded(state);
  }

  async showRecent() {
    const lines = await readRecent().catch(() => []);
    const items = lines.map(({ id, title, at }) => {
      const link = element("a", { href: `/c/${id}`, dir: "auto" }, title || "Conversation");
      if (id === this.conversation) link.ariaCurrent = "page";
      return element("li", {}, link, element("time", { dateTime: new Date(at).toISOString() }, when(at)));
    });
    find("recent").querySelector("ul").replaceChildren(...items);
    find("recent").hidden = !items.length;
  }

  #isOn() {
    return this.#vision.getAttribute("aria-checked") === "true";
  }

  #edited() {
    const text = this.#system.value.trim();
    const changed = this.#inEffect !== null && text !== this.#inEffect.system.trim();
    this.#apply.disabled = !changed || !text;
    this.#status.textContent = changed ? NOT_APPLIED : "";
  }

  async #applied() {
    this.#apply.disabled = true;
    const accepted = await this.hooks.command(`/system ${this.#system.value.trim()}`);
    if (accepted) this.#status.textContent = WAITING;
    else this.#edited();
  }

  async #command(text) {
    this.#model.disabled = this.#vision.disabled = true;
    if (!(await this.hooks.command(text))) await this.refresh();
  }

  #showModels({ model, models }) {
    this.#model.replaceChildren(...models.map((name) => element("option", { value: name, selected: name === model }, name)));
    this.#model.disabled = models.length < 2;
  }

  #showVision({ vision }) {
    this.#vision.setAttribute("aria-checked", String(vision));
    this.#vision.disabled = false;
  }
}

// On narrow screens the pane covers the chat while it is open.
class Drawer {
  #pane = find("setup");
  #opener = find("setup-open");

  constructor() {
    this.#opener.addEventListener("click", () => this.#set(true));
    find("setup-close").addEventListener("click", () => this.close());
    matchMedia("(min-width: 56rem)").addEventListener("change", () => this.close());
  }

  close() {
    const open = this.#pane.classList.contains("open");
    if (open) this.#set(false);
    return open;
  }

  #set(open) {
    this.#pane.classList.toggle("open", open);
    this.#opener.ariaExpanded = String(open);
    document.querySelector("main").inert = open;
    (open ? find("setup-close") : this.#opener).focus();
  }
}

function when(at) {
  const date = new Date(at);
  const today = date.toDateString() === new Date().toDateString();
  return date.toLocaleString([], today ? { timeStyle: "short" } : { day: "numeric", month: "short" });
}
