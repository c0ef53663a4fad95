const buttons = [...document.querySelectorAll("button[data-verdict]")];
const rows = [...document.querySelectorAll("#questions tbody tr")];
const search = document.querySelector("#search");
const count = document.querySelector("#count");
const plain = text => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
let verdict = "", texts;

function show() {
  const words = plain(search.value).split(/\s+/).filter(Boolean);
  if (words.length) texts ??= rows.map(row => plain(row.textContent));
  let shown = 0;
  rows.forEach((row, i) => {
    row.hidden = (verdict && row.dataset.verdict !== verdict) || !words.every(word => texts[i].includes(word));
    shown += !row.hidden;
  });
  count.textContent = shown === 0 ? "Aucune question." : shown === 1 ? "1 question." : `${shown} questions.`;
  for (const button of buttons) button.setAttribute("aria-pressed", button.dataset.verdict === verdict);
}

for (const button of buttons) button.addEventListener("click", () => {
  verdict = button.dataset.verdict;
  show();
  if (button.closest(".legend")) document.querySelector("#list").scrollIntoView();
});
search.addEventListener("input", show);
document.querySelector(".filters").hidden = false;
