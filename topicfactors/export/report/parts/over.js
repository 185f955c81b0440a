
// How often factors are on over a covariate, or in the documents of a label.

const overState = { view: 0, factor: 0 };

function showOver() {
  const box = section("over");
  if (!DATA.over.length) return box.remove();
  const chart = h("div", {}), below = h("div", {}), about = h("p", { class: "why" });
  const factors = choice(FACTORS.map((_, factor) => [factor, optionOf(factor)]), (value) => { overState.factor = Number(value); draw(); });
  const views = choice(DATA.over.map((view, place) => [place, view.name]), (value) => { overState.view = Number(value); overState.factor = mostVaried(DATA.over[overState.view])[0]; draw(); });
  const pick = (factor) => { overState.factor = factor; draw(); };
  const draw = () => {
    const view = DATA.over[overState.view];
    factors.value = String(overState.factor);
    about.textContent = aboutView(view);
    chart.replaceChildren(...(view.numeric ? lineChart : bars)(view, overState.factor));
    drawBelow(below, view, pick);
  };
  overState.factor = mostVaried(DATA.over[0])[0];
  box.append(about, h("div", { class: "tools" }, DATA.over.length > 1 ? tool("Over", views) : "", tool(capital(NOUN), factors)), chart, below);
  draw();
}
function aboutView(view) {
  const what = BINARY ? "The mean probability that a factor is on" : `The mean probability of a ${NOUN}`;
  const where = view.numeric ? `over ${view.name}, with a band of one standard error` : `in the documents of each ${view.name}, with one standard error`;
  const rest = view.unknown ? ` ${many(view.unknown, "document")} ${view.unknown === 1 ? "is" : "are"} in none.` : "";
  return `${what} ${where}.${view.left_out ? ` ${whole(view.left_out)} rarer ones are left out.` : ""}${rest}`;
}
// Factors from the one that varies most, by the spread of its means in standard errors.
function mostVaried(view) {
  const score = (factor) => {
    const means = view.means[factor], typical = view.errors[factor].reduce((sum, one) => sum + one, 0) / means.length;
    const middle = means.reduce((sum, one) => sum + one, 0) / means.length;
    return Math.sqrt(means.reduce((sum, one) => sum + (one - middle) ** 2, 0) / means.length) / (typical + 0.01);
  };
  const scores = FACTORS.map((_, factor) => score(factor));
  return scores.map((_, factor) => factor).sort((a, b) => scores[b] - scores[a]);
}
const named = (view, bin) => view.numeric ? String(view.bins[bin]) : view.bins[bin];
function asTable(view, factor) {
  return folded("As a table", () => table(`${fullName(factor)}, by ${view.name}`, [[view.name], ["mean", true], ["± s.e.", true], ["documents", true]],
    view.bins.map((_, bin) => [named(view, bin), percent(view.means[factor][bin]), percent(view.errors[factor][bin]), whole(view.documents[bin])])));
}
function bars(view, factor) {
  const width = Math.max(280, Math.min(760, section("over").clientWidth)), row = 26, left = Math.min(220, width * 0.42), right = 58;
  const order = view.bins.map((_, bin) => bin).sort((a, b) => view.means[factor][b] - view.means[factor][a]);
  const most = Math.max(0.001, ...order.map((bin) => view.means[factor][bin] + view.errors[factor][bin]));
  const x = (value) => left + (width - left - right) * Math.min(1, value / most);
  const picture = s("svg", { viewBox: `0 0 ${width} ${row * order.length + 4}`, role: "img", "aria-label": `${fullName(factor)}: most in ${named(view, order[0])}, ${percent(view.means[factor][order[0]])}`, style: { "max-width": `${width}px` } });
  order.forEach((bin, place) => {
    const y = place * row + 4, mean = view.means[factor][bin], error = view.errors[factor][bin], letters = Math.floor(left / 7.8);
    const name = named(view, bin);
    picture.append(s("text", { class: "tick", x: left - 10, y: y + 15, "text-anchor": "end" }, name.length > letters ? `${name.slice(0, letters - 1)}…` : name, s("title", {}, name)),
      s("rect", { class: "column", x: left, y: y + 3, width: Math.max(1, x(mean) - left), height: row - 10, rx: 2 }),
      s("line", { class: "whisker", x1: x(Math.max(0, mean - error)), x2: x(mean + error), y1: y + row / 2 - 2, y2: y + row / 2 - 2 }),
      s("text", { class: "tick", x: x(mean + error) + 7, y: y + 15 }, percent(mean)));
  });
  return [h("figure", { style: { margin: "0 0 .5rem" } }, picture), asTable(view, factor)];
}
function lineChart(view, factor) {
  const width = Math.max(280, Math.min(900, section("over").clientWidth)), height = width < 500 ? 230 : 300, left = 54, bottom = 44, top = 12;
  const known = view.bins.map((_, bin) => bin), means = view.means[factor], errors = view.errors[factor];
  const most = Math.max(0.001, ...known.map((bin) => means[bin] + errors[bin])) * 1.05;
  const [low, high] = [view.bins[0], view.bins.at(-1)];
  const x = (value) => left + 8 + (width - left - 28) * (value - low) / (high - low), y = (value) => top + (height - top - bottom) * (1 - value / most);
  const picture = s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${fullName(factor)} over ${view.name}, from ${percent(means[0])} to ${percent(means.at(-1))}`, style: { "max-width": `${width}px` } });
  const across = ticksOf(0, 100 * most, 4);
  for (const tick of across.found) picture.append(s("line", { class: "grid", x1: left, x2: width, y1: y(tick / 100), y2: y(tick / 100) }), s("text", { class: "tick", x: left - 8, y: y(tick / 100) + 4, "text-anchor": "end" }, `${tick.toFixed(decimalsOf(across.step))} %`));
  const along = ticksOf(low, high, width < 500 ? 4 : 8);
  for (const tick of along.found) picture.append(s("text", { class: "tick", x: x(tick), y: height - bottom + 20, "text-anchor": "middle" }, tick.toFixed(decimalsOf(along.step))));
  const edge = (sign) => known.map((bin) => `${x(view.bins[bin])},${y(Math.max(0, means[bin] + sign * errors[bin]))}`);
  picture.append(s("text", { class: "axis", x: width - 12, y: height - 4, "text-anchor": "end" }, view.name),
    s("polygon", { class: "band", points: [...edge(1), ...edge(-1).reverse()].join(" ") }),
    s("polyline", { class: "line", points: known.map((bin) => `${x(view.bins[bin])},${y(means[bin])}`).join(" ") }));
  known.forEach((bin) => picture.append(s("circle", { class: "dot", cx: x(view.bins[bin]), cy: y(means[bin]), r: 3.2 }, s("title", {}, `${named(view, bin)}: ${percent(means[bin])} of ${many(view.documents[bin], "document")}`))));
  return [h("figure", { style: { margin: "0 0 .5rem" } }, picture), asTable(view, factor)];
}
function drawBelow(below, view, pick) {
  if (view.numeric) {
    const shown = mostVaried(view).slice(0, 8);
    below.replaceChildren(h("h3", {}, "Those that vary most"), h("div", { class: "small-ones" }, shown.map((factor) =>
      h("button", { type: "button", "aria-pressed": String(factor === overState.factor), "aria-label": fullName(factor), on: { click: () => { pick(factor); [...below.querySelectorAll("button")].find((one) => one.getAttribute("aria-pressed") === "true")?.focus(); } } }, h("span", {}, optionOf(factor)), sparkline(view, factor)))));
    return;
  }
  const typical = (bin) => FACTORS.map((_, factor) => [factor, view.means[factor][bin], view.means[factor][bin] * Math.log((view.means[factor][bin] + 0.002) / (overall(view, factor) + 0.002))]).sort((a, b) => b[2] - a[2]).slice(0, 3).filter((one) => one[2] > 0);
  below.replaceChildren(h("h3", { style: { "margin-top": "1.5rem" } }, `What each ${view.name} has more of than the others`), table(`Mean probability, the most typical ${PLURAL} first`, [[view.name], [PLURAL], ["documents", true]],
    view.bins.map((_, bin) => [named(view, bin), typical(bin).length === 0 ? "–" : h("ul", { class: "plain" }, typical(bin).map(([factor, mean]) => h("li", {}, factorLink(factor), " ", h("span", { class: "soft number" }, percent(mean))))), whole(view.documents[bin])])));
}
function overall(view, factor) {
  const all = view.documents.reduce((sum, one) => sum + one, 0);
  return view.means[factor].reduce((sum, mean, bin) => sum + mean * view.documents[bin], 0) / Math.max(1, all);
}
function sparkline(view, factor) {
  const means = view.means[factor], most = Math.max(...means, 0.001), [low, high] = [view.bins[0], view.bins.at(-1)];
  const points = means.map((mean, bin) => `${160 * (view.bins[bin] - low) / (high - low)},${38 - 34 * mean / most}`);
  return s("svg", { viewBox: "-2 0 164 42", "aria-hidden": "true" }, s("polyline", { class: "line", points: points.join(" ") }));
}
