
// ---- The panels: what can be chosen in each, and what it runs.

function field(text, input) {
  const label = make("label", text + " ");
  label.append(input);
  return label;
}

function fill(select, options, chosen) {
  select.replaceChildren(...options.map(([value, text]) => { const option = make("option", text); option.value = value; return option; }));
  if (options.some(([value]) => value === chosen)) select.value = chosen;
}

function choice(options, chosen) {
  const select = make("select");
  fill(select, options, chosen);
  return select;
}

// All events, by module.
function eventChoice(chosen) {
  const select = make("select");
  const modules = new Map();
  for (const { name, module } of events) modules.set(module, [...(modules.get(module) || []), name]);
  for (const [module, names] of modules) {
    const group = make("optgroup");
    group.label = module;
    group.append(...names.map((name) => { const option = make("option", name.split("::").pop()); option.value = name; return option; }));
    select.append(group);
  }
  if (chosen) select.value = chosen;
  return select;
}

const eventOf = (select) => events.find((event) => event.name === select.value);
const pairsOf = (names) => names.map((name) => [name, name]);
const seen = (event) => event.parameters.filter((parameter) => !parameter.redacted);
const NUMBERS = /^&?\s*([ui](8|16|32|64|128|size)|f32|f64)$/;

// Pairs of a begin and its end, the best first, as the server guesses them. `pairs` are those of
// all events.
let pairs = [];
const guess = async (parameters) => (await json("guess?" + new URLSearchParams(parameters))).pairs;

// A panel has: what it is for (`what`); its fields (`open`: nodes, and their values by name); the
// request (`request`: method, path, parameters), which is also what the terminal lines say; and
// `run`, which shows what comes and returns what to say. Where `open`, or a field that is changed,
// asks the server, the page waits for it (`later`).
const PANELS = {
  latency: {
    what: "What is slow? The time from one event to another, with a row for each value of a parameter, slowest first.",

    async open(given) {
      const [first] = await guess(preferred().size ? patterns().map((pattern) => ["match", pattern]) : []);
      if (!first) throw new Error("Latency needs two events with a parameter in common, and this program has none");
      const begin = eventChoice(given.begin || first.begin);
      const end = eventChoice(given.end || first.end);
      const [key, label] = [choice([]), choice([])];
      let pair;
      // Any other parameter than the key can be the label.
      const labels = () => {
        const names = [...new Set([...pair.labels, ...pair.keys])].filter((name) => name !== key.value);
        fill(label, [...pairsOf(names), ["", "all together"]], pair.label && pair.label !== key.value ? pair.label : "");
      };
      const show = (found) => {
        pair = found || { keys: [], labels: [] };
        fill(key, pairsOf(pair.keys));
        labels();
      };
      // How to pair the two, and the end of a begin.
      const these = async () => {
        const [found] = await guess({ begin: begin.value, end: end.value });
        return () => show(found);
      };
      const partner = async () => {
        const [found] = await guess({ begin: begin.value });
        if (!found) return these();
        return () => { end.value = found.end; show(found); };
      };
      if (given.end) (await these())();
      else if (given.begin) (await partner())();
      else show(first);
      if (given.key) { key.value = given.key; labels(); }
      if (given.label !== undefined) label.value = given.label;
      begin.onchange = () => later(partner);
      end.onchange = () => later(these);
      key.onchange = () => { labels(); changed(); };
      return { nodes: [field("From", begin), field("To", end), field("Paired by", key), field("A row for each", label)], values: { begin, end, key, label } };
    },

    request: (values) => ["POST", "latency", Object.entries(values)],

    async run({ values, parameters, opened, signal }) {
      const box = make("div");
      show(make("h2", "Latency, slowest first"), box);
      const response = opened(await post("latency", parameters({ format: "live" }), signal));
      let body = null;
      for await (const [name, data] of streamed(response)) {
        body = name === "end" ? data.json : data;
        box.replaceChildren(...latencies(body, values.label, name === "end"));
        if (name === "end" && body.labels.length) {
          box.append(
            folded("Histograms", wide(), picture(data.svg, "Histogram of the latencies, for each label")),
            downloads([["latency.svg", "image/svg+xml", data.svg], ["latency.hlog", "text/plain", data.hlog],
              ["latency.txt", "text/plain", data.text], ["latency.json", "application/json", JSON.stringify(data.json)]]),
          );
        }
      }
      return `Measured for ${(body.duration_ns / 1e9).toFixed(1)} s.`;
    },
  },

  rates: {
    what: "What happens often? The firings of each event, once a second.",
    open: () => ({ nodes: [], values: {} }),
    request: () => ["GET", "rates", patterns().map((pattern) => ["match", pattern])],

    async run({ parameters, opened, signal }) {
      const box = make("div");
      show(make("h2", "Rates, most frequent first"), box);
      const response = opened(await asked("rates?" + parameters({}), { signal }));
      const items = new Map(rows().map((row) => [rowPlace(row), row]));
      for (const row of items.values()) row.querySelector(".rate").textContent = "";
      let watched = [];
      let [seconds, sum] = [0, 0];
      for await (const [name, data] of streamed(response)) {
        if (name === "begin") watched = data.events.map((event) => ({ event, total: 0, rate: 0, row: items.get(place(event)) }));
        if (name !== "rates") continue;
        seconds += data.seconds;
        data.fired.forEach((fired, index) => {
          const one = watched[index];
          one.total += fired;
          sum += fired;
          // (The last interval may be too short for a rate.)
          if (data.seconds < 0.5 && seconds > 1) return;
          one.rate = fired / data.seconds;
          if (one.row) one.row.querySelector(".rate").textContent = perSecond(one.rate);
        });
        const most = [...watched].sort((a, b) => b.rate - a.rate || b.total - a.total);
        const lines = most.slice(0, 50).map(({ event, rate, total }) => [event.name, perSecond(rate), count(total)]);
        box.replaceChildren(scrolled(tabled(["Event", "rate", "total"], lines), "Rates"));
        if (most.length > lines.length) box.append(make("p", `${count(most.length - lines.length)} more events are in the list below.`, "dim"));
      }
      for (const { row, rate } of watched) if (row) row.querySelector(".rate").textContent = `was ${perSecond(rate)}`;
      return `Counted ${count(sum)} firings in ${seconds.toFixed(1)} s.`;
    },
  },

  tail: {
    what: "What are the arguments? Each firing, newest first; at most 200 a second.",
    open: () => ({ nodes: [], values: {} }),
    request: () => ["GET", "tail", patterns().map((pattern) => ["match", pattern])],

    async run({ parameters, opened, signal }) {
      const table = tabled(["s", "Event", "Arguments"], [], (index) => index === 0);
      table.classList.add("log");
      const lost = make("p", "", "dim");
      show(make("h2", "Tail, newest first"), lost, scrolled(table, "Tail"));
      const response = opened(await asked("tail?" + parameters({}), { signal }));
      const body = table.tBodies[0];
      let missing = 0;
      let end = null;
      for await (const [name, data] of streamed(response)) {
        if (name === "record") {
          const values = Object.entries(data.values).map(([of, value]) => of + "=" + (value === null ? "[redacted]" : JSON.stringify(value)));
          const row = body.insertRow(0);
          row.role = "row";
          for (const [text, kind] of [[data.at.toFixed(6), "number"], [data.event.split("::").pop(), "event"], [values.join(" "), ""]]) {
            const cell = make("td", text, kind);
            cell.role = "cell";
            row.append(cell);
          }
          row.title = data.event;
          if (body.rows.length > 500) body.deleteRow(-1);
        } else if (name === "lost") {
          missing += data.lost;
          lost.textContent = `${count(missing)} more fired: at most 200 a second are shown.`;
        } else if (name === "end") {
          end = data;
        }
      }
      return `${count(end.records)} shown, ${count(end.lost)} more fired.`;
    },
  },

  record: {
    what: "Why is it slow? A trace of every firing: what happens when, on a time line.",

    async open(given) {
      pairs = await guess([]);
      const format = choice([["perfetto", "Perfetto"], ["chrome", "Chrome JSON"], ["ctf", "CTF"]], given.format);
      return { nodes: [field("Format", format)], values: { format } };
    },

    request(values) {
      const chosen = new Set(ticked().length ? ticked() : rows().map((row) => row.dataset.name));
      // A begin and its end, by their names, are a slice in a trace.
      const among = pairs.filter(({ begin, end, by_name: byName }) => byName && chosen.has(begin) && chosen.has(end));
      const slices = among.slice(0, 50).map(({ name, begin, end, key }) => ["slice", [name, begin, end, key].join(",")]);
      return ["POST", "record", [...patterns().map((pattern) => ["match", pattern]), ["format", values.format], ...slices]];
    },

    async run({ values, parameters, opened, signal }) {
      const size = make("p", bytesOf(0));
      show(make("h2", "Recording"), size);
      const response = opened(await post("record", parameters({}), signal));
      const [, name] = /filename="(.*)"/.exec(response.headers.get("Content-Disposition") || "") || ["", "trace"];
      const parts = [];
      let bytes = 0;
      let broken = "";
      const reader = response.body.getReader();
      try {
        for (;;) {
          const { value, done } = await reader.read();
          if (done) break;
          parts.push(value);
          bytes += value.length;
          size.textContent = bytesOf(bytes);
        }
      } catch (error) {
        if (error.name === "AbortError" || !bytes) throw error;
        broken = "the connection broke before the end; the trace has what came until then";
      }
      const blob = new Blob(parts);
      const file = link(name, blob);
      const line = make("p", undefined, "downloads");
      if (values.format !== "ctf") {
        const open = make("button", "Open in Perfetto", "main");
        open.type = "button";
        open.onclick = () => {
          say("Waiting for ui.perfetto.dev…");
          openInPerfetto(blob, name).then(() => say("Perfetto has the trace."), (error) => say(error.message, "bad"));
        };
        line.append(open);
      }
      line.append(file, make("span", bytesOf(bytes), "dim"));
      const readers = {
        perfetto: "The button opens ui.perfetto.dev, and hands it the trace inside the browser: nothing is uploaded. Offline, open the file in a Perfetto UI of your own.",
        chrome: "The button opens ui.perfetto.dev, and hands it the trace inside the browser: nothing is uploaded. The file also opens in speedscope and in chrome://tracing.",
        ctf: "Unpack it, and open the folder with babeltrace2 or Trace Compass.",
      };
      show(make("h2", "Recording"), line, make("p", readers[values.format], "dim"));
      if (broken) throw new Error(broken);
      file.click();
      return `Recorded and saved as ${name}.`;
    },
  },

  stacks: {
    what: "Where does it come from? The call stacks that fire an event, as a flame graph and a list, most frequent first.",

    open(given) {
      const [chosen] = preferred();
      const event = eventChoice(given.event || chosen);
      const [weight, label] = [choice([]), choice([])];
      const every = make("input");
      Object.assign(every, { type: "number", min: 1, max: 1000000, value: given.every || 1, inputMode: "numeric" });
      const names = () => {
        const all = seen(eventOf(event));
        fill(weight, [["", "firings"], ...pairsOf(all.filter(({ type }) => NUMBERS.test(type)).map(({ name }) => name))]);
        fill(label, [["", "all together"], ...pairsOf(all.map(({ name }) => name))]);
      };
      names();
      if (given.weight) weight.value = given.weight;
      if (given.label) label.value = given.label;
      event.onchange = () => { names(); changed(); };
      return { nodes: [field("Event", event), field("Counted by", weight), field("Labelled by", label), field("Sample one in", every)], values: { event, weight, label, every } };
    },

    request: (values) => ["GET", "stacks", Object.entries(values).filter(([name, value]) => value && !(name === "every" && value === "1"))],

    async run({ parameters, opened, signal }) {
      const box = make("div");
      show(make("h2", "Stacks, most frequent first"), box);
      const response = opened(await asked("stacks?" + parameters({ format: "live" }), { signal }));
      for await (const [name, data] of streamed(response)) {
        const sampled = data.sampled === data.fired ? "" : `, ${count(data.sampled)} of them sampled`;
        const line = make("p", `${count(data.fired)} firings${sampled}.`);
        box.replaceChildren(line, ...(name === "end" && data.sampled ? stacks(data) : []));
      }
      return "Collected.";
    },
  },
};

function latencies(body, title, isEnd) {
  const slowest = [...body.labels].sort((a, b) => b.p50_ns - a.p50_ns);
  const { begins, ends, matched, evicted, open, unmatched_begins: lost, unmatched_ends: strays } = body.counts;
  if (!slowest.length) {
    const verb = isEnd ? "ended" : "ended yet";
    return [make("p", `No pair has ${verb}: ${count(begins)} begins, ${count(ends)} ends.`)];
  }
  const scale = [Math.max(1, Math.min(...slowest.map((of) => of.min_ns))), Math.max(2, ...slowest.map((of) => of.max_ns))];
  const lines = slowest.map((of) => [of.label || (title ? "(empty)" : "all"), count(of.count), took(of.p50_ns), took(of.p90_ns), took(of.p99_ns), took(of.max_ns), spread(of, scale)]);
  const table = tabled([title || "", "count", "p50", "p90", "p99", "max", scaleEnds(scale)], lines);
  const headline = make("p", undefined, "headline");
  if (slowest.length > 1) {
    table.tBodies[0].rows[0].classList.add("slow");
    const times = slowest[0].p50_ns / Math.max(slowest[1].p50_ns, 1);
    const next = times >= 1.05 ? `, ${times < 10 ? times.toFixed(1) : count(Math.round(times))} times that of the next` : "";
    headline.append("Slowest: ", make("b", slowest[0].label || "(empty)"), `, p50 ${took(slowest[0].p50_ns)}${next}.`);
  }
  const missing = [[strays, "without a begin"], [lost + evicted, "without an end"], [open, "still open"]];
  const rest = missing.filter(([number]) => number).map(([number, what]) => `${count(number)} ${what}`);
  const incomplete = isEnd && !body.complete ? ["firings in flight at the end are not counted"] : [];
  const sum = make("p", [`${count(matched)} pairs`, ...rest, ...incomplete].join(", ") + ". Line: min to max. Bar: p50 to p99, on a logarithmic scale.", "dim");
  return [headline, table, sum];
}

function stacks({ folded: text, svg, pprof }) {
  const lines = text.trim().split("\n").map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]);
  const sum = lines.reduce((sum, [, count]) => sum + count, 0) || 1;
  const most = lines.sort((a, b) => b[1] - a[1]).slice(0, 20).map(([stack, value]) => {
    return [stack.split(";").reverse().slice(0, 4).join(" ← "), count(value), `${(100 * value / sum).toFixed(1)} %`];
  });
  return [
    picture(svg, "Flame graph: which functions lead to the event"),
    folded(lines.length > most.length ? `The ${most.length} most frequent of ${count(lines.length)} stacks` : "All stacks", true, tabled(["innermost function ← its callers", "count", "share"], most)),
    downloads([["stacks.svg", "image/svg+xml", svg], ["stacks.folded", "text/plain", text],
      ["stacks.pb.gz", "application/octet-stream", Uint8Array.from(atob(pprof), (byte) => byte.charCodeAt(0))]]),
  ];
}
