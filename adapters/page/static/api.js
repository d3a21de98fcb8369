// Requests to the server. Every failure is one sentence for people.

const UNREACHABLE =
  "Loupe cannot be reached. Your text is still here; please send it again when the connection is back.";

export class Refused extends Error {
  constructor(sentence, status = 0) {
    super(sentence);
    this.status = status;
  }
}

async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    throw error.name === "AbortError" ? error : new Refused(UNREACHABLE);
  }
  if (response.ok) return response;
  throw refused(response.status, await response.json().catch(() => null));
}

const refused = (status, body) => new Refused(body?.error ?? `Loupe answered with error ${status}. Please try again.`, status);

const json = async (path, options) => (await ask(path, options)).json();

export const fileUrl = (conversation, ref) => `/page/blob/${conversation}/${ref}`;

export const readState = (conversation) => json(`/page/state?conversation=${conversation}`);

export const readRecent = () => json("/page/recent");

export const readFile = async (conversation, ref) =>
  (await ask(fileUrl(conversation, ref))).text();

export const post = (message) =>
  json("/page/messages", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(message),
  });

// Uploads a file and calls `onProgress(share)` with the share that has been sent, from 0 to 1, which
// fetch() does not report.
export function upload(conversation, file, signal, onProgress) {
  const request = new XMLHttpRequest();
  request.open("POST", `/page/files?conversation=${conversation}`);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.setRequestHeader("X-File-Name", encodeURIComponent(file.name.toWellFormed?.() ?? file.name));
  request.responseType = "json";
  request.upload.onprogress = ({ loaded, total }) => onProgress(loaded / total);
  signal.addEventListener("abort", () => request.abort());
  return new Promise((resolve, reject) => {
    request.onload = () => (request.status < 300 ? resolve(request.response) : reject(refused(request.status, request.response)));
    request.onerror = () => reject(new Refused(UNREACHABLE));
    request.onabort = () => reject(signal.reason);
    request.send(file);
  });
}

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

const random = (length) => hex(crypto.getRandomValues(new Uint8Array(length)));

export const newConversation = () => random(16);

// randomUUID() exists only on https and loopback addresses, so it is written out.
export function newMessage() {
  const digits = random(16);
  return [8, 4, 4, 4, 12]
    .reduce(([parts, rest], length) => [[...parts, rest.slice(0, length)], rest.slice(length)], [[], digits])[0]
    .join("-");
}
