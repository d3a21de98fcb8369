// Frames of a video: a contact sheet on which each can be enlarged, and links to them from times in
// the text.

import { element, replaceWords } from "./elements.js";
import { missing } from "./files.js";
import { canvas } from "./pointing.js";

// The server's name of a frame: the video, and the time to a tenth of a second.
const NAME = /^V(\d+) ((?:(\d+):)?(\d+):(\d\d\.\d))$/;
// A time as models write it, perhaps after the video's number.
const TIME = /(?<![\w:.])(?<!\d,)(?:V(\d+)\s)?(?:(\d{1,2}):)?(\d{1,2}):(\d\d(\.\d{1,3})?)(?!\d|[:.]\d)/g;
const NEAR = 0.06;

const seconds = (hours, minutes, rest) => 3600 * (hours ?? 0) + 60 * minutes + Number(rest);

// Returns a contact sheet of frames in the order of their times; `enlarge(index)` opens one.
export function contactSheet(name, frames, enlarge) {
  const cells = frames.map((frame, at) => cell(frame, () => enlarge(at)));
  return element(
    "figure",
    { className: "figure cells" },
    element("ul", {}, ...cells),
    element("figcaption", {}, element("span", { className: "caption" }, name)),
  );
}

function cell(frame, enlarge) {
  const photo = canvas(frame.url, frame);
  const time = element("button", { className: "plain", type: "button", title: "Enlarge" }, NAME.exec(frame.name)?.[2] ?? frame.name);
  time.ariaLabel = `Enlarge ${frame.name}`;
  time.onclick = enlarge;
  photo.addEventListener("click", (event) => {
    if (event.target.closest("button")) return;
    event.stopPropagation();
    time.focus({ preventScroll: true });
    enlarge();
  });
  const item = element("li", {}, photo, time);
  photo.querySelector("img").onerror = () => missing(frame.url, frame.name, item.firstChild);
  return item;
}

// Turns the times in a text that are those of frames into buttons; frames have a `show()`.
export function linkTimes(box, frames) {
  const timed = frames.map((frame) => ({ ...frame, ...position(frame.name) }));
  if (!timed.length) return;
  replaceWords(box, TIME, (match) => {
    const frame = closest(match, timed);
    return frame && link(match[0], frame);
  });
}

function position(name) {
  const [, video, , hours, minutes, rest] = NAME.exec(name) ?? [];
  return { video, at: seconds(hours, minutes, rest) };
}

// A time in whole seconds refers to a frame within that second, or one that rounds to it.
function closest([, video, hours, minutes, rest, fraction], frames) {
  const at = seconds(hours, minutes, rest);
  const fits = (frame) => {
    const difference = frame.at - at;
    return fraction ? Math.abs(difference) <= NEAR : difference >= -0.5 && difference < 1;
  };
  const candidates = frames.filter((frame) => (!video || video === frame.video) && fits(frame));
  return candidates.sort((one, other) => Math.abs(one.at - at) - Math.abs(other.at - at))[0];
}

function link(time, { name, show }) {
  const button = element("button", { className: "time", type: "button", title: `Enlarge ${name}` }, time);
  button.onclick = show;
  return button;
}
