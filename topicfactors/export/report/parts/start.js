
// Put the sections together; addresses such as #document=3 open a document.

function follow() {
  const asked = new URLSearchParams(location.hash.slice(1));
  if (asked.has("document") && showExplorer.open) {
    const factor = asked.has("factor") ? Number(asked.get("factor")) : -1, place = Number(asked.get("document"));
    if (place in DOCS.ids) showExplorer.open(place, factor);
  } else if (asked.has("documents") && asked.get("documents") !== "" && showExplorer.filter) {
    const factor = Number(asked.get("documents"));
    if (factor in FACTORS) showExplorer.filter(factor);
  } else if (location.hash.startsWith("#factor-")) {
    const factor = Number(location.hash.slice(8));
    if (factor in FACTORS) showCards.reveal(factor);
    document.getElementById(location.hash.slice(1))?.scrollIntoView();
  }
}
function listSections() {
  const names = [...document.querySelectorAll("main > section")].map((one) => [one.id, one.querySelector("h2").textContent]);
  const links = names.map(([id, text]) => h("a", { href: `#${id}` }, text));
  section("sections").append(...links.map((link) => h("li", {}, link)));
  const seen = new IntersectionObserver((entries) => entries.forEach((entry) => {
    if (!entry.isIntersecting) return;
    links.forEach((link) => link.getAttribute("href") === `#${entry.target.id}` ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current"));
  }), { rootMargin: "-25% 0px -70% 0px" });
  document.querySelectorAll("main > section").forEach((one) => seen.observe(one));
}
section("factors-title").textContent = capital(PLURAL);
showOverview();
showCards();
showMap();
showExplorer();
showOver();
listSections();
addEventListener("hashchange", follow);
if (location.hash) follow();
