// Frames of a video: a contact sheet on which each opens large, and times in the text that lead to
// them.

import { element, replaceWords } from "./elements.js";
import { missing } from "./files.js";
import { canvas } from "./pointing.js";

// What the server calls a frame: the video, and the time to a tenth of a second.
const NAME = /^V(\d+) ((?:(\d+):)?(\d+):(\d\d\.\d))$/;
// A time as models write it, perhaps after the video's number.
const TIME = /(?<![\w:.])(?<!\d,)(?:V(\d+)\s)?(?:(\d{1,2}):)?(\d{1,2}):(\d\d(\.\d{1,3})?)(?!\d|[:.]\d)/g;
const NEAR = 0.06;

const seconds = (hours, minutes, rest) => 3600 * (hours ?? 0) + 60 * minutes + Number(rest);

// Makes a sheet of frames in the order of their times; `enlarge(at)` is called for one.
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
  const shown = element("li", {}, photo, time);
  photo.querySelector("img").onerror = () => missing(frame.url, frame.name, shown.firstChild);
  return shown;
}

// Turns the times in a text that are those of frames into buttons; frames have a `show()`.
export function linkTimes(box, frames) {
  const known = frames.map((frame) => ({ ...frame, ...placed(frame.name) }));
  if (!known.length) return;
  replaceWords(box, TIME, (found) => {
    const frame = meant(found, known);
    return frame && link(found[0], frame);
  });
}

function placed(name) {
  const [, video, , hours, minutes, rest] = NAME.exec(name) ?? [];
  return { video, at: seconds(hours, minutes, rest) };
}

// A time in whole seconds stands for what is shown within it or rounded to it.
function meant([, video, hours, minutes, rest, fraction], frames) {
  const at = seconds(hours, minutes, rest);
  const fits = (frame) => {
    const behind = frame.at - at;
    return fraction ? Math.abs(behind) <= NEAR : behind >= -0.5 && behind < 1;
  };
  const fitting = frames.filter((frame) => (!video || video === frame.video) && fits(frame));
  return fitting.sort((one, other) => Math.abs(one.at - at) - Math.abs(other.at - at))[0];
}

function link(time, { name, show }) {
  const made = element("button", { className: "time", type: "button", title: `Enlarge ${name}` }, time);
  made.onclick = show;
  return made;
}
