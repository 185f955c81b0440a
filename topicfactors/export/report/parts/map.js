
// The map of factors: alike by their words, joined where they come together.

function showMap() {
  const box = section("map"), told = DATA.relations;
  if (FACTORS.length < 3) return box.remove();
  const panel = h("div", { class: "panel", "aria-live": "polite" });
  const plot = h("div", { class: "plot" });
  const lines = told.pairs ? " Lines join factors that are on together much more often than by chance." : "";
  box.append(h("p", { class: "why" }, `${capital(PLURAL)} stand near each other when their words are alike; the larger, the more often.${lines} Choose one to see its neighbours; the arrow keys go from one to the next.`),
    h("div", { class: "mapped" }, plot, panel));
  const draw = () => drawMap(plot, panel);
  let width = 0;
  new ResizeObserver(later(() => {
    if (Math.abs(plot.clientWidth - width) < 8) return;
    width = plot.clientWidth;
    draw();
  }, 60)).observe(plot);
  width = plot.clientWidth;
  draw();
  if (told.pairs && told.pairs.length) box.append(...pairLists(told.pairs));
  if (told.couplings && told.couplings.length) box.append(h("h3", { style: { "margin-top": "1.5rem" } }, "Couplings of the prior"),
    h("p", { class: "soft" }, "What one factor adds to the log-odds of the other, before any word is read."),
    table("Couplings, nats", [["pair"], ["nats", true]], ends(told.couplings, 10).map(([a, b, nats]) => [h("span", {}, factorLink(a), " and ", factorLink(b)), signed(nats)])));
}
const ends = (list, each) => list.length <= 2 * each ? list : [...list.slice(0, each), ...list.slice(-each)];
const lift = ([, , , together, expected]) => expected > 0 ? together / expected : 0;

function placed(width, height, small) {
  const most = Math.max(...FACTORS.map((one) => one.prevalence));
  const size = small ? 11 : 12.5, across = size * 0.58;
  const nodes = DATA.relations.places.map(([x, y], factor) => {
    const words = FACTORS[factor].named || NOUN === "class" ? [FACTORS[factor].name] : FACTORS[factor].words.map(([word]) => word);
    const both = words.slice(0, 2).join(" "), label = (small && FACTORS.length > 12) || both.length > 20 ? clip(words[0] || "", 24) : both;
    return { factor, label, x, y, r: 3 + (small ? 8 : 13) * Math.sqrt(FACTORS[factor].prevalence / most), w: Math.max(16, label.length * across + 6) };
  });
  const low = (key) => Math.min(...nodes.map((node) => node[key])), high = (key) => Math.max(...nodes.map((node) => node[key]));
  const [left, right, top, bottom] = [low("x"), high("x"), low("y"), high("y")];
  for (const node of nodes) {
    node.x = 50 + (width - 100) * (right > left ? (node.x - left) / (right - left) : 0.5);
    node.y = 24 + (height - 56) * (bottom > top ? (node.y - top) / (bottom - top) : 0.5);
  }
  for (let round = 0; round < 300; round++) if (!apart(nodes, width, height, size)) break;
  return nodes;
}
// Push boxes of circle and label from each other where they overlap; were any pushed?
function apart(nodes, width, height, size) {
  let moved = false;
  for (let i = 0; i < nodes.length; i++) for (let j = i + 1; j < nodes.length; j++) {
    const a = nodes[i], b = nodes[j];
    const wide = (Math.max(a.w, 2 * a.r) + Math.max(b.w, 2 * b.r)) / 2 + 4;
    const high = a.r + b.r + size + 7;
    const dx = b.x - a.x, dy = b.y + b.r * 0 - a.y;
    const overX = wide - Math.abs(dx), overY = high - Math.abs(dy);
    if (overX <= 0 || overY <= 0) continue;
    moved = true;
    if (overX / wide < overY / high) { const push = 0.3 * overX * (dx < 0 ? -1 : 1); a.x -= push; b.x += push; }
    else { const push = 0.3 * overY * (dy < 0 ? -1 : 1); a.y -= push; b.y += push; }
  }
  for (const node of nodes) {
    const side = Math.max(node.w / 2, node.r) + 3;
    node.x = Math.max(side, Math.min(width - side, node.x));
    node.y = Math.max(node.r + 4, Math.min(height - node.r - size - 6, node.y));
  }
  return moved;
}
function drawMap(plot, panel) {
  const width = Math.max(280, plot.clientWidth - 18), small = width < 520;
  const height = Math.round(Math.max(small ? 420 : 460, Math.sqrt(FACTORS.length) * (small ? 130 : 88)));
  const nodes = placed(width, height, small), pairs = DATA.relations.pairs || [];
  const picture = s("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": `Map of ${many(FACTORS.length, NOUN, PLURAL)}` });
  const lines = s("g", { "aria-hidden": "true" });
  picture.append(lines);
  const line = (a, b, kind, thick) => lines.append(s("line", { class: `edge ${kind}`, x1: nodes[a].x, y1: nodes[a].y, x2: nodes[b].x, y2: nodes[b].y, "stroke-width": thick }));
  const backdrop = () => {
    lines.replaceChildren();
    for (const pair of pairs.slice(0, Math.round(FACTORS.length * 0.8))) if (lift(pair) > 1.5) line(pair[0], pair[1], "", 1 + Math.min(3, Math.log2(lift(pair)) / 1.5));
  };
  const elements = nodes.map((node) => s("g", { class: "node", role: "button", "aria-label": fullName(node.factor), "aria-pressed": "false", on: { click: () => choose(node.factor), keydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(node.factor); } } } },
    s("circle", { cx: node.x, cy: node.y, r: node.r }), s("text", { x: node.x, y: node.y + node.r + (small ? 11 : 13), "text-anchor": "middle" }, node.label)));
  picture.append(...elements);
  const choose = (factor) => {
    const again = elements[factor].classList.contains("chosen");
    elements.forEach((element) => { element.classList.remove("chosen", "faint"); element.setAttribute("aria-pressed", "false"); });
    backdrop();
    if (again) return introduce(panel);
    const own = pairs.filter((pair) => pair[0] === factor || pair[1] === factor).map((pair) => [pair[0] === factor ? pair[1] : pair[0], lift(pair), pair]);
    const near = own.filter((one) => one[1] > 1.2).slice(0, 6), away = own.filter((one) => one[1] < 0.8).reverse().slice(0, 6);
    elements[factor].classList.add("chosen");
    elements[factor].setAttribute("aria-pressed", "true");
    if (pairs.length) {
      lines.replaceChildren();
      near.forEach(([other, times]) => line(factor, other, "near", 1 + Math.min(4, Math.log2(times))));
      away.forEach(([other]) => line(factor, other, "apart", 1.5));
      const kept = new Set([factor, ...near.map((one) => one[0]), ...away.map((one) => one[0])]);
      elements.forEach((element, place) => element.classList.toggle("faint", !kept.has(place)));
    }
    describe(panel, factor, near, away);
  };
  roving(elements, picture);
  backdrop();
  introduce(panel);
  plot.replaceChildren(picture);
}
function introduce(panel) {
  const often = FACTORS.map((_, factor) => factor).sort((a, b) => FACTORS[b].prevalence - FACTORS[a].prevalence).slice(0, 8);
  panel.replaceChildren(h("p", { class: "soft", style: { margin: "0 0 .4rem" } }, `Choose a ${NOUN} on the map. Most often:`),
    h("ul", { class: "plain" }, often.map((factor) => h("li", {}, h("span", { class: "times" }, percent(FACTORS[factor].prevalence)), factorLink(factor)))));
}
function describe(panel, factor, near, away) {
  const one = FACTORS[factor];
  const listed = (title, list) => list.length ? [h("h4", {}, title), h("ul", { class: "plain" }, list.map(([other, times]) =>
    h("li", {}, h("span", { class: "times" }, `${times >= 10 ? times.toFixed(0) : times.toFixed(times < 0.1 ? 2 : 1)}×`), factorLink(other))))] : [];
  panel.replaceChildren(h("h3", {}, factorLink(factor, titleOf(factor))),
    h("p", { class: "meta" }, BINARY ? `on in ${percent(one.prevalence)}` : percent(one.prevalence)), h("p", { style: { margin: "0" } }, one.words.slice(0, 8).map(([word]) => word).join(", ")),
    ...listed("Comes with (times chance)", near), ...listed("Keeps away from", away));
}
function pairLists(pairs) {
  const row = (pair) => [h("span", {}, factorLink(pair[0]), " and ", factorLink(pair[1])), whole(pair[3]), whole(pair[4]), `${lift(pair) >= 10 ? lift(pair).toFixed(0) : lift(pair).toFixed(lift(pair) < 0.1 ? 2 : 1)}×`];
  const heads = [["pair"], ["both on", true], ["by chance", true], ["times", true]];
  const close = pairs.filter((pair) => lift(pair) > 1.05), far = pairs.filter((pair) => lift(pair) < 0.95).reverse();
  const one = (title, list) => list.length ? h("div", {}, h("h3", {}, title), table("Documents where both are on, and how many there would be by chance", heads, list.slice(0, 8).map(row)),
    list.length > 8 ? folded("More pairs", () => table(`${title}: more`, heads, list.slice(8, 60).map(row), true)) : "") : "";
  return [h("div", { class: "halves", style: { "margin-top": "1.75rem" } }, one("On together more often than by chance", close), one("On together less often than by chance", far))];
}
