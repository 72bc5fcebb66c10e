
// ---- Results: tables, pictures, downloads.

const count = (number) => number.toLocaleString("en-US");

function took(ns) {
  const [unit, by] = ns >= 1e9 ? ["s", 1e9] : ns >= 1e6 ? ["ms", 1e6] : ns >= 1e3 ? ["µs", 1e3] : ["ns", 1];
  const value = ns / by;
  return `${value >= 100 ? Math.round(value) : value.toPrecision(3)} ${unit}`;
}

function perSecond(rate) {
  return `${rate >= 10 ? count(Math.round(rate)) : rate.toFixed(1)} /s`;
}

function bytesOf(bytes) {
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e3).toFixed(1)} kB`;
}

function show(...nodes) {
  $("result").replaceChildren(...nodes);
  $("result").hidden = false;
}

function scrolled(table, label) {
  const scroll = make("div", undefined, "scroll");
  scroll.append(table);
  Object.assign(scroll, { tabIndex: 0, role: "region", ariaLabel: label });
  return scroll;
}

// A table whose rows become blocks on a narrow screen; the roles are given, since such rows would
// lose them. A cell is text, or an element.
function tabled(titles, rows, isNumber = (index) => index > 0) {
  const table = make("table", undefined, "rows");
  table.role = "table";
  const cell = (row, tag, content, index) => {
    const element = make(tag, undefined, isNumber(index) ? "number" : "");
    element.append(content);
    if (content instanceof Element) element.className = "spread";
    element.role = tag === "th" ? "columnheader" : "cell";
    row.append(element);
    return element;
  };
  const [head, body] = [table.createTHead(), table.createTBody()];
  head.role = body.role = "rowgroup";
  const top = head.insertRow();
  top.role = "row";
  titles.forEach((title, index) => cell(top, "th", title, index));
  for (const row of rows) {
    const line = body.insertRow();
    line.role = "row";
    row.forEach((content, index) => {
      const element = cell(line, "td", content, index);
      if (!(content instanceof Element) && index) element.dataset.of = titles[index];
    });
  }
  return table;
}

// The two ends of the scale of the bars below.
function scaleEnds(scale) {
  const both = make("div");
  both.append(...scale.map((ns) => make("span", took(ns))));
  return both;
}

// From the shortest to the longest on a logarithmic scale, with p50 and p99.
function spread(of, [least, most]) {
  const place = (ns) => 100 * Math.log(Math.max(ns, 1) / least) / Math.log(most / least);
  const bar = make("div");
  const part = (kind, from, to) => {
    const element = make("i", undefined, kind);
    element.style.left = `${place(from)}%`;
    if (to) element.style.width = `${place(to) - place(from)}%`;
    bar.append(element);
  };
  part("range", of.min_ns, of.max_ns);
  part("half", of.p50_ns, of.p99_ns);
  part("tick", of.p50_ns);
  Object.assign(bar, { role: "img", ariaLabel: `from ${took(of.min_ns)} to ${took(of.max_ns)}, p50 ${took(of.p50_ns)}` });
  return bar;
}

// A picture, as a part of the page. Its style is not the page's, and the policy lets no markup
// bring one: it is set from here.
function picture(svg, text) {
  const styles = [];
  const bare = svg.replace(/<style\b[^>]*>([^<]*)<\/style>/g, (_, style) => { styles.push(style); return ""; });
  const image = new DOMParser().parseFromString(bare, "image/svg+xml").documentElement;
  const style = new CSSStyleSheet();
  style.replaceSync(styles.join("\n") + "svg { display: block; width: 100%; min-width: 44rem; height: auto; }");
  const frame = make("div", undefined, "picture");
  Object.assign(frame, { role: "img", ariaLabel: text, tabIndex: 0 });
  const root = frame.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [style];
  root.append(document.importNode(image, true));
  return frame;
}

function folded(title, open, ...nodes) {
  const details = make("details");
  details.open = open;
  details.append(make("summary", title), ...nodes);
  return details;
}

function link(name, blob) {
  const link = make("a", name);
  link.href = URL.createObjectURL(blob);
  link.download = name;
  return link;
}

function downloads(files) {
  const line = make("p", "Download: ", "downloads");
  line.append(...files.map(([name, type, content]) => link(name, new Blob([content], { type }))));
  return line;
}

const wide = () => matchMedia("(min-width: 40rem)").matches;
