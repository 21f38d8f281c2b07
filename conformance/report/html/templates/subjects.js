// Parameters and fields by state. What a reader chose stands in the address.
{
  const form = document.getElementById("states");
  const rows = [...document.querySelectorAll(".subjects [data-state]")];

  const show = () => {
    const wanted = new FormData(form).getAll("state");
    for (const row of rows) row.hidden = wanted.length > 0 && !wanted.includes(row.dataset.state);
    for (const table of document.querySelectorAll(".subjects:has([data-state])"))
      table.closest("section").hidden = !table.querySelector("[data-state]:not([hidden])");
    return wanted;
  };

  if (form) {
    form.hidden = false;
    const values = address.get("state").split(",");
    for (const box of form.elements) if (box.name) box.checked = values.includes(box.value);
    show();
    form.addEventListener("input", () => address.set("state", show().join(",")));
    form.addEventListener("submit", (event) => event.preventDefault());
  }
}
