document.documentElement.classList.add("scripted");
// KaTeX has no \jot: an empty row, drawn back, keeps tall rows apart.
const apart = latex => latex.replaceAll(" \\\\\n", latex.startsWith("\\begin{align}") ? " \\\\ \\notag \\\\[-1.15em]\n" : " \\\\ {} \\\\[-1.15em]\n");
const macros = { "\\ensuremath": "$#1$", "\\textasciigrave": "`" };
for (const source of document.querySelectorAll("code.tex")) {
  const block = source.parentElement.classList.contains("display");
  const tall = !block && source.closest("td") && source.textContent.includes("\\frac") ? "\\displaystyle " : "";
  const set = document.createElement("span");
  set.className = "set";
  try {
    katex.render(tall + apart(source.textContent), set, { displayMode: block, macros, trust: false, strict: false, maxExpand: 1000 });
    source.replaceWith(set);
  } catch (error) {
    source.classList.add("unset");
    source.title = error.message;
  }
}
// A slide is set as large as it can hold, all of it alike.
const over = box => box.scrollHeight > box.clientHeight + 1 || [...box.querySelectorAll(".katex-html, table, figure svg")].some(each => each.getBoundingClientRect().right > box.getBoundingClientRect().right + 1);
const fit = () => {
  for (const box of document.querySelectorAll(".slide > .inside")) {
    box.style.fontSize = "";
    if (getComputedStyle(box).position === "static") continue;
    const whole = parseFloat(getComputedStyle(box).fontSize) / box.parentElement.clientWidth * 100;
    for (let part = 150; part > 30; part -= 3) {
      box.style.fontSize = `${whole * part / 100}cqw`;
      if (!over(box)) break;
    }
  }
};
if (document.documentElement.classList.contains("slides")) document.fonts.ready.then(fit);
for (const folded of document.querySelectorAll("details")) folded.addEventListener("toggle", () => scrolls(folded));
const scrolls = place => { for (const box of place.querySelectorAll(".wide")) {
  if (box.scrollWidth <= box.clientWidth) continue;
  box.classList.add("scrolls");
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "scrolls sideways");
} };
scrolls(document);
// A gallery is searched as one types: every word must stand in a card, wherever it does.
const search = document.querySelector("#search");
if (search) {
  const cards = [...document.querySelectorAll(".card")].map(card => [card, (card.dataset.words + " " + card.textContent).toLowerCase()]);
  const empty = (group, entries) => { group.hidden = ![...group.querySelectorAll(entries)].some(entry => !entry.hidden); };
  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const [card, text] of cards) {
      card.hidden = !words.every(word => text.includes(word));
      document.querySelector(`[data-card="${card.getAttribute("aria-labelledby")}"]`).hidden = card.hidden;
      count += card.hidden ? 0 : 1;
    }
    for (const group of document.querySelectorAll("section.group")) empty(group, ".card");
    for (const group of document.querySelectorAll("div.group")) empty(group, "li");
    document.querySelector("#found").textContent = words.length ? `${count} of ${cards.length}` : "";
  });
}
