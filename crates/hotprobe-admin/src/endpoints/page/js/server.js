"use strict";
// ---- The server: requests, errors, streams.

const KEY = "hotprobe-token " + location.pathname;
const main = document.getElementById("main");
const $ = (id) => document.getElementById(id);
let token = sessionStorage.getItem(KEY);

function make(tag, text, kind) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (kind) element.className = kind;
  return element;
}

// The token goes into a header, and nowhere else.
async function ask(path, options = {}) {
  const headers = new Headers(options.headers);
  if (token) headers.set("Authorization", "Bearer " + token);
  try {
    return await fetch(path, { ...options, headers, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(`cannot reach ${location.host}: is the program still running?`);
  }
}

// As `ask`; a response that is an error is thrown as one.
async function asked(path, options = {}) {
  const response = await ask(path, { ...options, headers: { Accept: "application/json" } });
  if (response.ok) return response;
  const text = (await response.text()).trim();
  let message = text;
  try {
    const { error } = JSON.parse(text);
    message = error.message;
    if (error.nearest) message += `. Similar: ${error.nearest.join(", ")}`;
  } catch { /* An older server, or a proxy: the text is the message. */ }
  throw new Error(message || `the server answered ${response.status}`);
}

const post = (path, parameters, signal) => asked(path, { method: "POST", body: parameters, signal });
const json = async (path) => (await asked(path)).json();

// Yields [name, data] of server-sent events: `EventSource` cannot send a token.
async function* streamed(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  let ended = false;
  for (;;) {
    const { value, done } = await reader.read().catch((error) => {
      if (error.name === "AbortError") throw error;
      return { done: true };
    });
    if (done) break;
    text += value;
    const parts = text.split("\n\n");
    text = parts.pop();
    for (const part of parts) {
      const name = /^event: (.*)$/m.exec(part);
      const data = /^data: (.*)$/m.exec(part);
      if (!name || !data) continue;
      ended = name[1] === "end";
      yield [name[1], JSON.parse(data[1])];
    }
  }
  if (!ended) throw new Error("the connection broke before the end: what came until then is below");
}
