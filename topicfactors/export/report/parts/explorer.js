
// Documents: search, filters, and one of them with the words that say why a factor is on.

const DOCS = DATA.documents;
const HITS = 8;
const packed = { ready: false };
const search = { word: "", factor: -1, label: "", page: 0, found: [], lower: null, place: -1 };

function unpack() {
  if (packed.ready) return;
  const bytes = bytesOf(DOCS.words), width = DOCS.wide ? 4 : 2, view = new DataView(bytes.buffer);
  packed.words = Array.from({ length: bytes.length / width }, (_, at) => DOCS.wide ? view.getUint32(4 * at, true) : view.getUint16(2 * at, true));
  packed.times = bytesOf(DOCS.times);
  packed.evidence = new Int8Array(bytesOf(DOCS.evidence).buffer);
  packed.start = [0]; packed.from = [0]; packed.why = [0];
  DOCS.word_counts.forEach((count, place) => {
    packed.start.push(packed.start[place] + count);
    packed.from.push(packed.from[place] + count * DOCS.on[place].length);
    packed.why.push(packed.why[place] + DOCS.on[place].length);
  });
  packed.ready = true;
}
// The distinct words of a document, with the nats each adds to its shown factor number `which`.
function wordsOf(place, which) {
  unpack();
  const count = DOCS.word_counts[place], begin = packed.start[place];
  const from = packed.from[place] + (which || 0) * count, step = DOCS.whys[packed.why[place] + (which || 0)][0];
  return Array.from({ length: count }, (_, at) => ({ word: DOCS.vocabulary[packed.words[begin + at]], times: packed.times[begin + at], nats: step * packed.evidence[from + at] }));
}
const hasTexts = () => DOCS.texts !== null;

function showExplorer() {
  const box = section("documents");
  if (!DOCS.ids.length) return box.remove();
  const count = h("p", { class: "count", role: "status" }), hits = h("ul", { class: "plain hits", "aria-label": "Documents found" });
  const pages = h("div", { class: "pages" }), shown = h("article", { class: "document", tabindex: "-1", "aria-label": "Document" });
  const field = h("input", { type: "search", id: "search", autocomplete: "off", spellcheck: "false", placeholder: hasTexts() ? "Words or an id" : "A word or an id", on: { input: later(() => set({ word: field.value.trim().toLowerCase() }), 120) } });
  const byFactor = choice([["-1", `any ${NOUN}`], ...FACTORS.map((_, factor) => [factor, optionOf(factor)])], (value) => set({ factor: Number(value) }));
  const labels = DOCS.labels ? [...new Set(DOCS.labels.filter((label) => label !== null))].sort() : [];
  const byLabel = labels.length > 1 ? choice([["", "any label"], ...labels.map((label) => [`=${label}`, label])], (value) => set({ label: value })) : "";
  const set = (change) => { Object.assign(search, { page: 0 }, change); seek(count, hits, pages, open); };
  const open = (place, factor, focus) => { search.place = place; openDocument(shown, place, factor); mark(hits); if (focus) { shown.scrollIntoView({ block: innerWidth < 900 ? "start" : "nearest" }); shown.focus({ preventScroll: true }); } };
  box.append(h("p", { class: "why" }, sampled(), hasTexts() ? "" : " There are no texts in it: each document is shown as its words."),
    h("div", { class: "tools", role: "search" }, tool("Search", field), tool(BINARY ? "With the factor on" : capital(NOUN), byFactor), byLabel ? tool("Label", byLabel) : "", count),
    h("div", { class: "explorer" }, h("div", {}, hits, pages), shown));
  showExplorer.open = (place, factor) => open(place, factor, true);
  showExplorer.filter = (factor) => { byFactor.value = String(factor); field.value = ""; if (byLabel) byLabel.value = ""; set({ word: "", label: "", factor }); section("documents").scrollIntoView(); byFactor.focus({ preventScroll: true }); };
  set({});
  const first = DOCS.standing.find((listed) => listed.length);
  open(first ? first[0][0] : 0);
}
function sampled() {
  const here = DOCS.ids.length;
  const all = here === DOCS.of ? `All ${many(here, "document")}.` : `${whole(here)} of ${many(DOCS.of, "document")}, sampled so that each ${NOUN} has some.`;
  const cut = hasTexts() && DOCS.texts.some((text, place) => text.length < DOCS.lengths[place]);
  return `${all}${cut ? " Long texts are cut; what is told of them is of the whole." : ""}`;
}
function lowered() {
  search.lower ||= DOCS.ids.map((id, place) => `${id}\n${hasTexts() ? DOCS.texts[place] : wordsOf(place).map((one) => one.word).join(" ")}`.toLowerCase());
  return search.lower;
}
function seek(count, hits, pages, open) {
  const terms = search.word.split(/\s+/).filter(Boolean), lower = terms.length ? lowered() : null;
  search.found = [];
  for (let place = 0; place < DOCS.ids.length; place++) {
    if (search.label && DOCS.labels[place] !== search.label.slice(1)) continue;
    if (search.factor >= 0 && !DOCS.on[place].some(([factor, p]) => factor === search.factor && (p > 0.5 || !BINARY))) continue;
    if (lower && !terms.every((term) => lower[place].includes(term))) continue;
    search.found.push(place);
  }
  if (search.factor >= 0) rankBy(search.factor);
  const turn = (by) => { search.page += by; drawHits(hits, pages, turn, open); hits.querySelector("button")?.focus({ preventScroll: true }); };
  count.textContent = search.found.length ? many(search.found.length, "document") : "no document found";
  drawHits(hits, pages, turn, open);
}
// Representative documents first, then the surest.
function rankBy(factor) {
  const listed = new Map(DOCS.standing[factor].map(([place], rank) => [place, 10 - rank]));
  const sure = (place) => DOCS.on[place].find((one) => one[0] === factor)[1];
  const scores = new Map(search.found.map((place) => [place, (listed.get(place) || 0) + sure(place)]));
  search.found.sort((a, b) => scores.get(b) - scores.get(a) || a - b);
}
function drawHits(hits, pages, turn, open) {
  const last = Math.max(0, Math.ceil(search.found.length / HITS) - 1), begin = search.page * HITS;
  hits.replaceChildren(...search.found.slice(begin, begin + HITS).map((place) => h("li", {},
    h("button", { type: "button", "data-place": place, on: { click: () => open(place, search.factor, true) } },
      h("strong", {}, DOCS.ids[place]), h("span", { class: "snippet" }, snippet(place)),
      h("span", { class: "on" }, DOCS.on[place].filter(([, p]) => p > 0.5).slice(0, 3).map(([factor]) => briefOf(factor)).join("   "))))));
  hits.hidden = !search.found.length;
  pages.replaceChildren(...last ? [h("button", { type: "button", disabled: search.page === 0, on: { click: () => turn(-1) } }, "Previous"),
    h("span", {}, `${whole(begin + 1)}–${whole(Math.min(begin + HITS, search.found.length))} of ${whole(search.found.length)}`),
    h("button", { type: "button", disabled: search.page === last, on: { click: () => turn(1) } }, "Next")] : []);
  mark(hits);
}
function mark(hits) {
  for (const button of hits.querySelectorAll("button")) {
    if (Number(button.dataset.place) === search.place) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
}
function snippet(place) {
  const term = search.word.split(/\s+/)[0], text = startOf(place), at = term ? text.toLowerCase().indexOf(term) : -1;
  if (at < 0) return clip(text, 150) || "(empty)";
  const from = Math.max(0, at - 50);
  return [from ? "… " : "", text.slice(from, at), h("b", {}, text.slice(at, at + term.length)), clip(text.slice(at + term.length), 90)];
}

function openDocument(shown, place, factor) {
  const told = DOCS.on[place], which = Math.max(0, told.findIndex((one) => one[0] === factor));
  const label = DOCS.labels && DOCS.labels[place] !== null ? ` · label ${DOCS.labels[place]}` : "";
  const body = h("div", {});
  const buttons = told.map(([one, p], at) => h("button", { type: "button", "aria-pressed": String(at === which), on: { click: () => {
    buttons.forEach((button, other) => button.setAttribute("aria-pressed", String(other === at)));
    drawReasons(body, place, at);
  } } }, h("span", {}, optionOf(one)), h("span", { class: "track", "aria-hidden": "true" }, h("span", { style: { width: `${100 * p}%` } })), h("span", { class: "number" }, percent(p))));
  const sure = told.some(([, p]) => p > 0.5);
  shown.replaceChildren(h("h3", {}, DOCS.ids[place]), h("p", { class: "meta" }, `${many(DOCS.tokens[place], "known word")}${label}`),
    sure ? "" : h("p", { class: "soft small" }, `No ${NOUN} is more likely ${BINARY ? "on than off" : "than all others"}; the nearest:`),
    h("div", { class: "chosen-factors", role: "group", "aria-label": `${capital(PLURAL)} of the document` }, buttons), body);
  drawReasons(body, place, which);
}
function drawReasons(body, place, which) {
  const words = wordsOf(place, which), [, prior, rest, total] = DOCS.whys[packed.why[place] + which], factor = DOCS.on[place][which][0];
  const listed = [...words].sort((a, b) => b.nats - a.nats);
  const remainder = DOCS.remainder && rest ? `, ${DOCS.remainder} ${signed(rest, 1)}` : "";
  const sum = DOCS.exact ? [h("b", {}, `Log-odds ${signed(prior + rest + total, 1)}`), ` nats: prior ${signed(prior, 1)}${remainder}, words ${signed(total, 1)}. `] : ["Each word's evidence on average, not exact for this document. "];
  const readout = h("p", { class: "readout", role: "status" });
  const rest_ = h("span", {}, ...sum, BINARY ? "Given the other factors. " : "Against the next best. ");
  readout.append(rest_);
  const tell = (one) => readout.replaceChildren(...one ? [h("b", {}, one.word), ` ${signed(one.nats)} nats ${one.nats >= 0 ? "for" : "against"} ${NOUN} ${FACTORS[factor].name}${one.times > 1 ? `, ${one.times} times` : ""}`] : [rest_]);
  const text = hasTexts() ? highlighted(DOCS.texts[place], words, tell) : null;
  if (text && DOCS.texts[place].length < DOCS.lengths[place]) text.append(h("span", { class: "soft" }, ` … (${whole(DOCS.texts[place].length)} of ${whole(DOCS.lengths[place])} characters)`));
  const list = () => h("ul", { class: "plain wordlist" }, listed.map((one) => h("li", {}, h("span", {}, one.word, one.times > 1 ? h("span", { class: "soft" }, ` ${one.times}×`) : ""), h("span", { class: "number" }, signed(one.nats)))));
  const inside = text ? folded("Its words, from the strongest for to the strongest against", list) : list();
  body.replaceChildren(...[h("p", { class: "key" }, h("span", {}, h("mark", { style: { "--strength": "0.4" } }, "word"), " for it"), h("span", {}, h("mark", { class: "against", style: { "--strength": "0.4" } }, "word"), " against it")), readout, text, inside].filter(Boolean));
}
// The text with its words marked; longest spellings first, so that a phrase wins over its parts.
function highlighted(text, words, tell) {
  const strong = Math.max(...words.map((one) => Math.abs(one.nats)), 0.01);
  const known = new Map(words.filter((one) => Math.abs(one.nats) > 0.04 * strong).map((one) => [one.word.toLowerCase(), one]));
  for (const [form, word] of Object.entries(DOCS.forms)) if (known.has(word.toLowerCase()) && !known.has(form)) known.set(form, known.get(word.toLowerCase()));
  const box = h("div", { class: "text", role: "group", tabindex: "0", "aria-label": "Text, its words marked by evidence" });
  const marks = [];
  let at = 0;
  for (const found of known.size ? text.matchAll(patternOf([...known.keys()])) : []) {
    const one = known.get(found[0].toLowerCase()) || known.get(found[0].toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu).join("_")) || phraseOf(known, found[0]);
    if (!one) continue;
    const share = Math.abs(one.nats) / strong;
    const marked = h("mark", { class: `${one.nats < 0 ? "against" : ""}${share < 0.25 ? " weak" : ""}`.trim() || null, title: `${one.word} ${signed(one.nats)} nats`, style: { "--strength": (0.08 + 0.5 * share).toFixed(2) }, on: { mouseenter: () => tell(one), mouseleave: () => tell(null), focus: () => tell(one), blur: () => tell(null) } }, found[0]);
    box.append(text.slice(at, found.index), marked);
    marks.push(marked);
    at = found.index + found[0].length;
  }
  box.append(text.slice(at) || (at ? "" : "(empty)"));
  roving(marks, box);
  return box;
}
function phraseOf(known, found) {
  const parts = found.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) || [];
  for (const [word, one] of known) {
    const own = word.split("_");
    if (own.length > 1 && own[0] === parts[0] && own.at(-1) === parts.at(-1)) return one;
  }
  return null;
}
function patternOf(words) {
  const quoted = (word) => word.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
  const edge = (word) => /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u.test(word) ? ["", ""]
    : [/^[\p{L}\p{N}]/u.test(word) ? "(?<![\\p{L}\\p{N}])" : "", /[\p{L}\p{M}\p{N}]$/u.test(word) ? "(?![\\p{L}\\p{M}\\p{N}])" : ""];
  const one = (word) => {
    const [before, after] = edge(word), parts = word.split("_").filter(Boolean);
    const inner = parts.length > 1 ? `(?:${quoted(word)}|${parts.map(quoted).join("\\P{L}+(?:\\p{L}{1,6}\\P{L}+){0,2}?")})` : quoted(word);
    return before + inner + after;
  };
  return new RegExp([...words].sort((a, b) => b.length - a.length).map(one).join("|"), "giu");
}
