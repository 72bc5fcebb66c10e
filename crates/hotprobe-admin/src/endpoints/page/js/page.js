
// ---- The page: which panel is open, what runs, the keyboard, the address.

let running = null;
let open = { values: {} };
let ready = Promise.resolve();
let changes = 0;

const panelName = () => main.querySelector("[name=panel]:checked").value;
const values = () => Object.fromEntries(Object.entries(open.values).map(([name, input]) => [name, input.value]));

function say(text, kind) {
  $("state").textContent = text;
  $("state").className = kind || "";
}

// The panel and its fields are in the address, after `#`: a link shows the same.
function writeAddress() {
  const address = new URL(location.href);
  const state = new URLSearchParams({ ...values(), seconds: $("seconds").value });
  address.hash = `${panelName()}?${state}`;
  history.replaceState(null, "", address);
}

function readAddress() {
  const [name, state] = location.hash.slice(1).split("?");
  const given = Object.fromEntries(new URLSearchParams(state || ""));
  const radio = PANELS[name] && main.querySelector(`[name=panel][value=${name}]`);
  if (radio) radio.checked = true;
  if (given.seconds) $("seconds").value = given.seconds;
  return given;
}

// Asks the server, and then does what the function returns, unless there was another change
// meanwhile.
function later(ask) {
  const change = ++changes;
  const isLast = (then) => (value) => { if (change === changes) then(value); };
  ready = ask().then(isLast((apply) => { apply(); changed(); }), isLast((error) => say(error.message, "bad")));
  return ready;
}

function openPanel(given = {}) {
  const panel = PANELS[panelName()];
  $("what").textContent = panel.what;
  open = { values: {}, missing: "the panel is being opened" };
  return later(async () => {
    try {
      for (const name of ["begin", "end", "event"]) if (!events.some((event) => event.name === given[name])) delete given[name];
      const opened = await panel.open(given);
      return () => { open = opened; $("fields").replaceChildren(...opened.nodes); };
    } catch (error) {
      return () => {
        open = { values: {}, missing: error.message };
        $("fields").replaceChildren(make("p", error.message, "bad"));
      };
    }
  });
}

// A field has another value: so have the address and the terminal lines.
function changed() {
  if (open.missing) return;
  writeAddress();
  const request = PANELS[panelName()].request(values());
  $("cli").textContent = hotprobeLine(request, $("seconds").value || "10");
  $("curl").textContent = curlLine(request, $("seconds").value || "10");
}

function readSeconds() {
  const longest = Number($("about").dataset.longest);
  const seconds = Number($("seconds").value);
  const fits = $("seconds").value !== "" && seconds >= 0.1 && seconds <= longest;
  $("seconds").ariaInvalid = fits ? null : "true";
  if (fits) return seconds;
  say(`Seconds: expected a number from 0.1 to ${longest}`, "bad");
  $("seconds").focus();
  return null;
}

// Waits until the panel has what it asks the server for.
async function isReady() {
  for (let last = null; last !== ready; await last) last = ready;
}

let starting = false;

async function run() {
  if (running || starting) return;
  starting = true;
  await isReady();
  starting = false;
  const seconds = readSeconds();
  if (seconds === null) return;
  if (open.missing) return say(open.missing, "bad");
  const panel = PANELS[panelName()];
  const began = performance.now();
  const request = panel.request(values());
  const abort = new AbortController();
  const here = running = { abort, session: null, stopped: false };
  $("run").ariaDisabled = "true";
  $("stop").hidden = $("time").hidden = false;
  say("Running…");
  const tick = () => {
    const passed = (performance.now() - began) / 1000;
    $("progress").value = Math.min(1, passed / seconds);
    $("left").textContent = here.stopped || passed > seconds ? "finishing" : `${Math.ceil(seconds - passed)} s left`;
  };
  tick();
  const timer = setInterval(tick, 100);
  try {
    const text = await panel.run({
      values: values(),
      signal: abort.signal,
      parameters: (more) => new URLSearchParams([...request[2], ...Object.entries({ ...more, seconds })]),
      opened(response) {
        here.session = response.headers.get("hotprobe-session");
        refresh();
        return response;
      },
    });
    say(`${here.stopped ? "Stopped. " : ""}${text} Nothing is attached any more.`);
  } catch (error) {
    if (error.name === "AbortError") say("Stopped. Nothing is attached any more.");
    else say(error.message[0].toUpperCase() + error.message.slice(1), "bad");
  } finally {
    clearInterval(timer);
    running = null;
    $("run").ariaDisabled = null;
    $("stop").hidden = $("time").hidden = true;
    if (document.activeElement === document.body) $("run").focus();
    refresh();
  }
}

// The server ends the session and sends what there is; at the second time, or if that fails, the
// connection is cut.
async function stop() {
  if (!running) return;
  const { abort, session, stopped } = running;
  if (!session || stopped) return abort.abort();
  running.stopped = true;
  say("Stopping…");
  try {
    await post("stop", new URLSearchParams({ session }));
  } catch {
    abort.abort();
  }
}

function keys(event) {
  if (!$("tools")) return;
  if (event.key === "Escape" && running) {
    event.preventDefault();
    stop();
  }
  const on = event.target;
  if (event.key === "Enter" && !event.repeat && (on === document.body || on.tagName === "SELECT")) {
    event.preventDefault();
    run();
  }
}

async function showMetrics(event) {
  // A link cannot send the token.
  if (!token) return;
  event.preventDefault();
  const path = event.target.getAttribute("href");
  const text = make("pre", await (await asked(path)).text());
  text.tabIndex = 0;
  show(make("h2", path), text);
  $("result").scrollIntoView();
}

async function begin() {
  const locked = $("unlock");
  if (locked) {
    locked.onsubmit = (event) => { event.preventDefault(); unlock($("token").value); };
    return;
  }
  if (!$("tools")) return;
  document.title = `${$("program").textContent} · probes`;
  $("seconds").max = $("about").dataset.longest;
  $("seconds").value = Math.min(10, $("about").dataset.longest);
  await readEvents();
  const given = readAddress();
  const opened = openPanel(given);
  $("tools").onsubmit = (event) => { event.preventDefault(); run(); };
  $("tools").oninput = changed;
  $("stop").onclick = stop;
  for (const radio of main.querySelectorAll("[name=panel]")) radio.onchange = () => { say(""); openPanel(); };
  for (const button of main.querySelectorAll("[data-copy]")) button.onclick = () => copy(button.dataset.copy, button);
  for (const to of main.querySelectorAll("a[href=metrics], a[href=stats], a[href=events]")) to.onclick = (event) => showMetrics(event).catch((error) => say(error.message, "bad"));
  $("filter").onsubmit = (event) => {
    event.preventDefault();
    filter($("match").value).then(() => openPanel()).catch((error) => say(error.message, "bad"));
  };
  $("events").onchange = () => { chooseText(); openPanel(); };
  chooseText();
  refresh();
  await opened;
  $("tools").hidden = false;
}

// The page as the server writes it, for those who have a token.
async function unlock(given) {
  token = given;
  try {
    const response = await ask(location.href, { headers: { Accept: "text/html" } });
    const html = new DOMParser().parseFromString(await response.text(), "text/html");
    if (response.status === 401) {
      token = null;
      sessionStorage.removeItem(KEY);
      $("refused").textContent = "This is not the server’s token.";
      return;
    }
    sessionStorage.setItem(KEY, given);
    const filled = html.getElementById("main");
    main.replaceChildren(...(filled ? filled.childNodes : [make("p", html.body.textContent, "bad")]));
    await begin();
  } catch (error) {
    $("refused").textContent = error.message;
  }
}

document.addEventListener("keydown", keys);
addEventListener("hashchange", () => { if ($("tools")) openPanel(readAddress()); });
setInterval(() => { if ($("tools") && stats && document.visibilityState === "visible") refresh(); }, 2000);

begin().catch((error) => say(error.message, "bad"));
if ($("unlock") && token) unlock(token);
