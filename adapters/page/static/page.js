// Connects the parts of the page: one conversation, its stream, and the controls around it.

import { newConversation, newMessage, post } from "./api.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { find } from "./elements.js";
import { Confirm, RawJson, Toast, Viewer } from "./panels.js";
import { Setup } from "./setup.js";
import { Stream } from "./stream.js";

const ASKABLE = 600_000;
const DRAFT = "system";

const id = /^\/c\/([0-9a-z]{20,40})$/.exec(location.pathname)?.[1] ?? newConversation();
history.replaceState(null, "", `/c/${id}`);

const toast = new Toast();
const viewer = new Viewer();
const raw = new RawJson(id);
let answering = false;

const say = (text, quiet, message = newMessage()) =>
  post({ conversation: id, id: message, text, files: [], quiet });

// Sends the command of a control, which is not shown in the conversation; resolves to whether it was
// accepted.
const command = (text) =>
  say(text, true).then(
    () => true,
    (error) => {
      toast.show(error.message);
      return false;
    },
  );

const confirm = new Confirm(command);

async function quiet(message, live) {
  if (message.by !== "loupe" || message.stage !== "final" || !live) return;
  if (await raw.take(message)) return;
  if (!message.buttons.length) toast.show(message.text);
  setup.refresh();
}

function askWhatIsOpen() {
  const message = conversation.lastQuiet();
  if (message?.buttons.length && Date.now() - message.at < ASKABLE) confirm.ask(message);
  else confirm.settle();
}

const composer = new Composer(id, {
  stop: () => command("/stop").then((accepted) => accepted || composer.setBusy(true)),
  sent: () => setup.showRecent(),
  refused: (message) => conversation.drop(message),
});

const setup = new Setup(id, {
  command,
  loaded: (state) => (composer.most = { picture: state.picture_bytes, any: state.upload_bytes }),
});

const conversation = new Conversation(id, {
  quiet,
  press: (text) => say(text, false).catch((error) => toast.show(error.message)),
  view: (pictures, at) => viewer.show(pictures, at),
  answered: () => setup.refresh(),
  busy(busy) {
    if (busy === answering) return;
    answering = busy;
    composer.setBusy(busy);
  },
});

function linked(trouble) {
  const banner = find("banner");
  if (banner.textContent && !trouble) setup.refresh();
  banner.textContent = trouble;
}

function changed(messages, first) {
  conversation.take(messages, first);
  askWhatIsOpen();
}

find("json").addEventListener("click", () => {
  const message = newMessage();
  raw.open(message);
  say("/json", true, message).catch((error) => raw.fail(error.message));
});

find("new").addEventListener("click", () => {
  sessionStorage.setItem(DRAFT, setup.draft);
  location.assign(`/c/${newConversation()}`);
});

find("empty").addEventListener("click", ({ target }) => target.matches(".chip") && composer.suggest(target.textContent));

addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  if (!setup.closeDrawer() && answering) command("/stop");
});

setup.refresh(sessionStorage.getItem(DRAFT));
sessionStorage.removeItem(DRAFT);
setup.showRecent();
new Stream(id, changed, linked);
