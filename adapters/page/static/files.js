// Files of a message: pictures, videos, and links to download all others.

import { element } from "./elements.js";

const EXTENSION = /\.([a-z0-9]{1,5})$/i;
const PICTURE_NAME = "Picture";
const VIDEO_NAME = "Video";
const GONE = [404, 410];

// Returns the node of a file; `enlarge(picture)` is called for a picture that is clicked.
export function fileNode(file, url, enlarge) {
  if (!file.media_type) return chip(file, url);
  return file.media_type.startsWith("video/") ? film(file, url) : framed(file, url, enlarge);
}

function framed({ name }, url, enlarge) {
  const picture = { url, name: name || PICTURE_NAME, alt: name || PICTURE_NAME, outlines: [] };
  const image = element("img", { src: url, alt: picture.alt, loading: "lazy", decoding: "async" });
  const button = element("button", { className: "frame", type: "button", title: `Enlarge ${picture.name}` });
  button.append(image, caption(picture.name));
  button.onclick = () => enlarge(picture);
  image.onerror = () => missing(url, picture.name, button);
  return button;
}

function film(file, url) {
  const name = file.name || VIDEO_NAME;
  const player = element("video", { src: url, controls: true, preload: "metadata", playsInline: true, ariaLabel: name });
  const frame = element("div", { className: "frame film" }, player, caption(name));
  onUnplayable(player, async () => frame.replaceWith((await isGone(url)) ? gone(name) : chip(file, url)));
  return frame;
}

// Calls `tell` once if the browser cannot show a video, or can only play its sound.
export function onUnplayable(player, tell) {
  player.addEventListener("error", tell, { once: true });
  player.addEventListener("loadedmetadata", () => player.videoWidth || tell(), { once: true });
}

const caption = (name) => element("span", { className: "caption", ariaHidden: "true" }, name);

function chip(file, url) {
  const kind = EXTENSION.exec(file.name)?.[1].toUpperCase() ?? "File";
  const name = file.name || "File";
  return element(
    "a",
    { className: "file", href: `${url}?download`, download: name },
    element("span", { className: "kind", ariaHidden: "true" }, kind),
    name,
  );
}

// Replaces a picture by the reason why it is missing.
export async function missing(url, name, place) {
  place.replaceWith((await isGone(url)) ? gone(name) : notice(`${name} cannot be shown`));
}

const isGone = (url) =>
  fetch(url, { method: "HEAD" }).then(({ status }) => GONE.includes(status), () => false);

const gone = (name) => notice(`${name} is no longer available`);

const notice = (sentence) => element("span", { className: "file" }, sentence);
