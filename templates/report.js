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
for (const box of document.querySelectorAll(".wide")) {
  if (box.scrollWidth <= box.clientWidth) continue;
  box.classList.add("scrolls");
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "scrolls sideways");
}
