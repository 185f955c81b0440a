
// Overview: what was fitted, how well it predicts, how training went.

const BOUNDS = { elbo: "ELBO", iwae: "IWAE", truncated: "truncated", ais: "AIS", exact: "exact", completion: "completion", "smoothed-iwae": "smoothed IWAE" };

function showOverview() {
  const box = section("overview");
  const first = DATA.scores.find((score) => score.where === "held out") || DATA.scores[0];
  document.title = `${DATA.title} – topicfactors`;
  section("title").textContent = DATA.title;
  section("lead").replaceChildren(...leadOf(first));
  section("made").textContent = `Made by topicfactors ${DATA.version}. One file, no network; texts in it are excerpts of the documents.`;
  if (DATA.notes.length) box.append(h("ul", { class: "notes" }, DATA.notes.map((note) => h("li", {}, note))));
  box.append(tilesOf(first));
  const facts = h("dl", { class: "facts" }, DATA.facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
  const left = h("div", {}, h("h3", {}, "How well it predicts"), scoresTable(), folded("What these figures mean", meanings));
  box.append(h("div", { class: "halves" }, left, h("div", {}, curve())), h("h3", { class: "next" }, "Model and corpus"), facts);
}
function leadOf(score) {
  const words = [h("strong", {}, many(FACTORS.length, NOUN, PLURAL)), " in ", h("strong", {}, many(DATA.documents.of, "document")), ". "];
  if (!score) return words;
  words.push(`A word of a ${score.where === "held out" ? "document that was held out" : "document"} is as hard to guess as one of `,
    h("strong", {}, perplexity(score.per_document)), ` equally likely words; by word frequencies alone, one of ${perplexity(score.unigram)}.`);
  return words;
}
function tilesOf(score) {
  const active = FACTORS.filter((one) => one.status === "active").length;
  const tiles = [];
  if (score) {
    const gain = 1 - score.per_document / score.unigram;
    tiles.push(["Perplexity", perplexity(score.per_document), gain > 0 ? `${percent(gain)} below the unigram` : "not below the unigram"]);
  }
  tiles.push(["Coherence", figure(DATA.coherence), "NPMI, −1 to 1"], ["Diversity", figure(DATA.diversity), "share of different top words"]);
  tiles.push([`Active ${PLURAL}`, whole(active), active === FACTORS.length ? "all of them" : `of ${whole(FACTORS.length)}`]);
  if (BINARY) {
    const on = FACTORS.reduce((sum, one) => sum + one.on, 0) / Math.max(1, DATA.documents.of);
    tiles.push(["On in a document", on.toFixed(1), "factors, on average"]);
  }
  return h("dl", { class: "tiles" }, tiles.map(([name, value, note]) =>
    h("div", { class: "tile" }, h("dt", {}, name), h("dd", {}, value), h("dd", {}, note))));
}
function scoresTable() {
  if (!DATA.scores.length) return h("p", { class: "soft" }, "No documents were scored.");
  const rows = DATA.scores.map((score) => [h("span", {}, capital(score.where), h("span", { class: "soft aside" }, `${BOUNDS[score.bound] || score.bound} bound`)),
    `${perplexity(score.per_document)} ± ${score.per_document >= 100 ? whole(score.standard_error) : score.standard_error.toFixed(1)}`, perplexity(score.unigram), perplexity(score.corpus), perplexity(score.unigram_corpus)]);
  return table("Perplexities; lower is better", [["documents"], ["a document", true], ["unigram", true], ["corpus", true], ["unigram", true]], rows);
}
function meanings() {
  const told = [
    ["Perplexity", "How many equally likely words the model has to choose from at each place of a document; lower is better. “A document” averages over documents, “corpus” over words."],
    ["Unigram", `A model without ${PLURAL}, that knows only how frequent every word is: what to compare with.`],
    ["Bound", "Log-probabilities of documents are bounded from below, so a perplexity is at most so high. Only the same bound may be compared between models."],
    ["Coherence", "Whether the ten top words come in the same documents: normalised pointwise mutual information, in the documents of this page; 0 is chance, 1 is always together."],
    ["Diversity", `Share of different words among the ten top words of all ${PLURAL}; 1 when none is listed twice.`],
    ["Evidence", `By how many nats one occurrence of a word raises the log-odds of a ${NOUN}; 0.69 nats double the odds, 2.3 make them ten times as high.`],
  ];
  if (BINARY) told.push(["Prevalence", "The mean, over the training documents, of the probability that the factor is on. Shares do not add up to 100 %, as several factors may be on in a document."]);
  if (FACTORS.some((one) => one.came_back !== null)) told.push(["Back in", `The model was fitted several times, from a seed each; the share of the other runs in which a ${NOUN} was found again. One that fewer than half of them have did not come back, and may be chance.`]);
  return h("dl", { class: "meanings" }, told.map(([name, text]) => [h("dt", {}, name), h("dd", {}, text)]));
}
function curve() {
  const points = DATA.curve.filter((point) => point[2] !== null);
  if (points.length < 2) return [];
  const width = Math.max(280, Math.min(480, section("overview").clientWidth)), height = 230, left = 52, bottom = 52, top = 12;
  const values = points.map((point) => point[2]);
  const low = Math.min(...values), high = Math.max(...values), pad = (high - low || 1) * 0.08;
  const x = (at) => left + (width - left - 14) * (points[at][0] - points[0][0]) / (points.at(-1)[0] - points[0][0]);
  const y = (value) => top + (height - top - bottom) * (high + pad - value) / (high - low + 2 * pad);
  const picture = s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Perplexity by pass, from ${perplexity(values[0])} to ${perplexity(values.at(-1))}` });
  for (const tick of ticksOf(low - pad, high + pad, 4).found) {
    picture.append(s("line", { class: "grid", x1: left, x2: width, y1: y(tick), y2: y(tick) }),
      s("text", { class: "tick", x: left - 8, y: y(tick) + 4, "text-anchor": "end" }, perplexity(tick)));
  }
  const { found } = ticksOf(points[0][0], points.at(-1)[0], 6);
  for (const tick of found.filter(Number.isInteger)) {
    const at = left + (width - left - 14) * (tick - points[0][0]) / (points.at(-1)[0] - points[0][0]);
    picture.append(s("text", { class: "tick", x: at, y: height - bottom + 18, "text-anchor": "middle" }, tick));
  }
  picture.append(s("text", { class: "axis", x: width - 14, y: height - 12, "text-anchor": "end" }, "pass over the documents"),
    s("polyline", { class: "line", points: values.map((value, at) => `${x(at)},${y(value)}`).join(" ") }));
  points.forEach((point, at) => {
    if (points.length <= 30 || point[0] === DATA.best) picture.append(s("circle", { class: "dot", cx: x(at), cy: y(point[2]), r: point[0] === DATA.best ? 5 : 3 }));
  });
  const rows = () => table("Every pass", [["pass"], ["bound, nats", true], ["perplexity", true]],
    points.map((point) => [point[0], figure(point[1], 1), perplexity(point[2])]));
  const best = DATA.best ? ` The weights of pass ${DATA.best} were kept.` : "";
  return [h("h3", {}, "Training"), h("figure", { style: { margin: "0" } }, picture, h("figcaption", { class: "small soft" }, `Perplexity after each pass, of held-out documents where there are some.${best}`)), folded("As a table", rows)];
}
