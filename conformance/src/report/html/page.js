(() => {
  "use strict";
  const search = document.getElementById("search");
  if (!search) return;
  const only = document.getElementById("only-findings");
  const matches = document.getElementById("matches");
  const rows = Array.from(document.querySelectorAll("table.calls tbody tr"), (row) => ({
    row,
    text: row.textContent.toLowerCase(),
    found: row.classList.contains("found"),
  }));
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { row, text, found } of rows) {
      const fits = (found || !only.checked) && words.every((word) => text.includes(word));
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    matches.textContent = `${shown} of ${rows.length} listed`;
  };
  search.addEventListener("input", filter);
  only.addEventListener("change", filter);
  document.querySelector(".search").hidden = false;
  filter();
})();
