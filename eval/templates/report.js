const buttons = [...document.querySelectorAll("[data-verdict]")].filter(b => b.tagName === "BUTTON");
const search = document.querySelector("input");
let verdict = "";
function show() {
  const words = search.value.toLowerCase();
  for (const row of document.querySelectorAll("li"))
    row.hidden = (verdict && row.dataset.verdict !== verdict) || !row.textContent.toLowerCase().includes(words);
}
for (const button of buttons) button.addEventListener("click", () => {
  verdict = button.dataset.verdict;
  for (const other of buttons) other.setAttribute("aria-pressed", other === button);
  show();
});
search.addEventListener("input", show);
