
"use strict";
// What the sections share: elements made without markup, numbers in words, names of factors.

const DATA = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";

function make(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === "on") for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
    else if (name === "style") for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== "").map((child) => child instanceof Node ? child : String(child)));
  return element;
}
const h = (tag, attributes, ...children) => make(document.createElement(tag), attributes, children);
const s = (tag, attributes, ...children) => make(document.createElementNS(SVG, tag), attributes, children);
const section = (name) => document.getElementById(name);
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

const whole = (value) => Math.round(value).toLocaleString("en-GB");
const many = (count, one, several) => `${whole(count)} ${count === 1 ? one : several || `${one}s`}`;
function percent(share) {
  if (share === null) return "–";
  const value = 100 * share;
  if (value > 0 && value < 0.01) return "< 0.01 %";
  return `${value.toFixed(value >= 9.95 || value === 0 ? 0 : value >= 0.095 ? 1 : 2)} %`;
}
function figure(value, digits = 2) {
  return value === null || value === undefined ? "–" : value.toFixed(digits).replace("-", "−");
}
const signed = (value, digits = 2) => (value > 0 ? "+" : "") + figure(value, digits);
const perplexity = (value) => value === null ? "–" : value >= 100 ? whole(value) : value.toFixed(1);

const FACTORS = DATA.factors;
const NOUN = DATA.noun, PLURAL = DATA.plural;
const BINARY = NOUN === "factor";
const shortOf = (factor) => FACTORS[factor].short || "no words";
function titleOf(factor) {
  const one = FACTORS[factor];
  return one.named || NOUN === "class" ? one.name : one.short || "no words";
}
const fullName = (factor) => `${capital(NOUN)} ${FACTORS[factor].name}: ${shortOf(factor)}`;
// A name that somebody gave stands for itself; a number has words beside it.
const givenName = (factor) => FACTORS[factor].named && NOUN !== "class";
const optionOf = (factor) => givenName(factor) ? FACTORS[factor].name : `${FACTORS[factor].name} · ${FACTORS[factor].short}`;
const briefOf = (factor) => givenName(factor) || NOUN === "class" ? FACTORS[factor].name : [FACTORS[factor].name, ...FACTORS[factor].short.split(" · ").slice(0, 2)].join(" · ");

function tool(label, control) {
  control.id ||= `control-${tool.made = (tool.made || 0) + 1}`;
  return h("div", { class: "tool" }, h("label", { for: control.id }, label), control);
}
function choice(options, act) {
  const control = h("select", { on: { change: () => act(control.value) } },
    options.map(([value, text]) => h("option", { value }, text)));
  return control;
}
function table(caption, heads, rows, unseen) {
  const cell = (tag, value, right, scope) => h(tag, { class: right ? "number" : null, scope }, value);
  return h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": caption },
    h("table", {}, h("caption", { class: unseen ? "unseen" : null }, caption),
      h("thead", {}, h("tr", {}, heads.map(([text, right]) => cell("th", text, right, "col")))),
      h("tbody", {}, rows.map((row) => h("tr", {}, row.map((value, place) =>
        cell(place ? "td" : "th", value, heads[place][1], place ? null : "row")))))));
}
function folded(summary, make) {
  const inside = h("details", {}, h("summary", {}, summary));
  inside.addEventListener("toggle", () => {
    if (inside.open && inside.children.length === 1) inside.append(make());
  });
  return inside;
}
function factorLink(factor, text) {
  return h("a", { href: `#factor-${factor}` }, text || briefOf(factor));
}
function bytesOf(text) {
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let place = 0; place < raw.length; place++) bytes[place] = raw.charCodeAt(place);
  return bytes;
}
function later(act, wait) {
  let waiting = 0;
  return (...given) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => act(...given), wait);
  };
}
// A group of many elements is one stop of the Tab key; arrows go from one to the next.
function roving(elements, box) {
  elements.forEach((element, place) => element.setAttribute("tabindex", place ? "-1" : "0"));
  box.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    const at = elements.indexOf(event.target);
    if (!step || at < 0) return;
    event.preventDefault();
    const to = Math.max(0, Math.min(elements.length - 1, at + step));
    elements[at].setAttribute("tabindex", "-1");
    elements[to].setAttribute("tabindex", "0");
    elements[to].focus();
  });
}
// Round numbers for an axis.
function ticksOf(low, high, count) {
  const rough = (high - low) / count || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough);
  const found = [];
  for (let place = Math.ceil(low / step - 1e-9); place * step <= high + step * 1e-6; place++) found.push(place * step);
  return { step, found };
}
const decimalsOf = (step) => Math.max(0, Math.min(6, -Math.floor(Math.log10(step) + 1e-9)));
