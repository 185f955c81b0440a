
// A card for each factor, sorted and filtered.

const CARDS_AT_ONCE = 60;
const cardState = { sort: "prevalence", word: "", bars: "evidence", shown: CARDS_AT_ONCE };

function showCards() {
  const box = section("factors");
  const count = h("p", { class: "count", role: "status" });
  const grid = h("div", { class: "cards" });
  const more = h("button", { type: "button", on: { click: () => { cardState.shown += CARDS_AT_ONCE; draw(); } } }, "Show more");
  const key = h("p", { class: "key" });
  const draw = () => drawCards(grid, count, more, key);
  const sorts = [["prevalence", "how often"], ["coherence", "coherence"], ["name", "name or number"]];
  const search = h("input", { type: "search", autocomplete: "off", spellcheck: "false", on: { input: later(() => { cardState.word = search.value.trim().toLowerCase(); cardState.shown = CARDS_AT_ONCE; draw(); }, 120) } });
  const bars = [["evidence", "evidence of a word"], ["pairs", "probability, on and off"]];
  box.append(h("p", { class: "why" }, BINARY
    ? "Each factor is on or off in a document, and several may be on. Its words tell of it more than of the others, and come together in documents; the bar of a word is the evidence that one occurrence brings."
    : `Each document comes from one ${NOUN}. Words that come together in the documents stand first; the bar of a word is the evidence that one occurrence brings.`),
  h("div", { class: "tools" }, tool("Sort by", choice(sorts, (value) => { cardState.sort = value; draw(); })),
    tool("With the word", search), tool("Bars show", choice(bars, (value) => { cardState.bars = value; draw(); })), count), key, grid,
  h("p", { style: { "margin-top": "1.25rem" } }, more));
  showCards.reveal = (factor) => {
    if (document.getElementById(`factor-${factor}`)) return;
    search.value = cardState.word = "";
    cardState.shown = FACTORS.length;
    draw();
  };
  draw();
}
function cardOrder() {
  const by = {
    prevalence: (a, b) => FACTORS[b].prevalence - FACTORS[a].prevalence,
    coherence: (a, b) => (FACTORS[b].coherence ?? -2) - (FACTORS[a].coherence ?? -2),
    name: (a, b) => FACTORS[a].name.localeCompare(FACTORS[b].name, "en", { numeric: true }),
  }[cardState.sort];
  const word = cardState.word;
  const has = (one) => !word || one.name.toLowerCase().includes(word) || one.words.some(([known]) => known.toLowerCase().includes(word)) || one.against.some(([known]) => known.toLowerCase().includes(word));
  return FACTORS.map((_, place) => place).filter((place) => has(FACTORS[place])).sort(by);
}
function drawCards(grid, count, more, key) {
  const order = cardOrder(), shown = order.slice(0, cardState.shown);
  grid.replaceChildren(...shown.map(card));
  more.hidden = shown.length === order.length;
  count.textContent = order.length === FACTORS.length ? many(order.length, NOUN, PLURAL) : order.length ? `${order.length} of ${many(FACTORS.length, NOUN, PLURAL)}` : `no ${NOUN} lists that word`;
  key.replaceChildren(...cardState.bars === "evidence" ? [h("span", {}, "Bars: nats of log-odds that one occurrence adds (0.69 doubles the odds), less where few documents have the word")]
    : [h("span", {}, h("i"), `share of the words ${BINARY ? "when it is on" : `in the ${NOUN}`}`), h("span", {}, h("i", { class: "off" }), BINARY ? "when it is off" : "in the others")]);
}
function card(factor) {
  const one = FACTORS[factor], most = Math.max(...FACTORS.map((other) => other.prevalence));
  const often = BINARY ? `on in ${percent(one.prevalence)}` : `${percent(one.prevalence)} of the documents`;
  const coherence = one.coherence === null ? "" : ` · coherence ${figure(one.coherence)}`;
  const response = one.response === null ? "" : ` · response ${BINARY ? signed(one.response) : figure(one.response)}`;
  const back = one.came_back === null ? "" : ` · back in ${percent(one.came_back)}`;
  const lost = one.came_back !== null && one.came_back < 0.5 ? [" ", h("span", { class: "badge" }, "did not come back")] : "";
  const status = one.status === "active" ? "" : h("span", { class: "badge" }, one.status === "dead" ? "hardly ever on" : "always on");
  return h("article", { class: "card", id: `factor-${factor}`, "aria-label": fullName(factor) },
    h("h3", {}, one.name !== titleOf(factor) ? h("span", { class: "tag" }, one.name) : "", h("span", {}, titleOf(factor))),
    h("p", { class: "meta" }, often, coherence, response, back, " ", status, lost),
    h("div", { class: "share", "aria-hidden": "true" }, h("span", { style: { width: `${100 * one.prevalence / most}%` } })),
    wordBars(one),
    one.against.length ? [h("h4", {}, "Speaks against it"), h("p", { class: "low" }, one.against.slice(0, 8).map(([word], place, all) =>
      [h("span", { class: matches(word) ? "hit" : null }, word), place < all.length - 1 ? ", " : ""]))] : "",
    standing(factor));
}
const matches = (word) => cardState.word !== "" && word.toLowerCase().includes(cardState.word);
function wordBars(one) {
  const pairs = cardState.bars === "pairs";
  const most = Math.max(1e-12, ...one.words.flatMap(([, nats, on, off]) => pairs ? [on || 0, off || 0] : [nats || 0]));
  const wide = (value) => ({ width: `${Math.max(0, 100 * (value || 0) / most)}%` });
  return h("ol", { class: "words" }, one.words.map(([word, nats, on, off]) => h("li", {},
    h("span", { class: matches(word) ? "word hit" : "word", title: word }, word),
    pairs ? h("span", { class: "pair", "aria-hidden": "true" }, h("span", { class: "bar", style: wide(on) }), h("span", { class: "bar off", style: wide(off) }))
      : h("span", { class: "bar", style: wide(nats), "aria-hidden": "true" }),
    h("span", { class: "number" }, pairs ? `${percent(on)} | ${percent(off)}` : signed(nats)))));
}
function standing(factor) {
  const listed = DATA.documents.standing[factor] || [];
  const all = () => h("div", {}, listed.slice(0, 3).map(([place]) => h("blockquote", {},
    h("a", { href: `#document=${place}&factor=${factor}` }, DATA.documents.ids[place]), clip(startOf(place), 180))),
  h("a", { href: `#documents=${factor}` }, `All documents ${BINARY ? "where it is on" : "of it"}`));
  return listed.length ? folded(`Its documents (${whole(FACTORS[factor].on)})`, all) : "";
}
const clip = (text, most) => text.length <= most ? text : `${text.slice(0, most).replace(/\s+\S*$/, "")} …`;
function startOf(place) {
  const texts = DATA.documents.texts;
  return texts ? texts[place].replace(/\s+/g, " ").trim() : wordsOf(place).slice(0, 25).map((one) => one.word).join(" ");
}
