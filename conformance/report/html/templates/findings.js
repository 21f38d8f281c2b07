// Filtering. What a reader chose stands in the address, so that it can be passed on.
{
  const form = document.getElementById("filter");
  const findings = [...document.querySelectorAll(".finding")].map((element) => ({
    element,
    area: element.dataset.area,
    root: element.parentElement.closest(".finding"),
    verdict: element.dataset.verdict,
    level: element.dataset.level,
  }));
  const groups = [...document.querySelectorAll(".folded, .area")];
  const several = ["verdict", "level"];

  /** The lower-case text of a finding, cached when it is first searched. */
  const textOf = (finding) => (finding.text ??= finding.element.textContent.toLowerCase());

  const chosen = () => {
    const data = new FormData(form);
    return {
      text: data.get("text").trim().toLowerCase(),
      area: data.get("area"),
      verdict: data.getAll("verdict"),
      level: data.getAll("level"),
    };
  };

  const suits = (finding, wanted) =>
    (!wanted.area || finding.area === wanted.area) &&
    several.every((name) => !wanted[name].length || wanted[name].includes(finding[name])) &&
    (!wanted.text || textOf(finding).includes(wanted.text));

  /**
   * Show what suits; folds that hold some of it open while anything is asked for. What a finding
   * explains is shown with it, and the finding with what it explains.
   */
  const show = () => {
    const wanted = chosen();
    const asked = wanted.text || wanted.area || wanted.verdict.length || wanted.level.length;
    let count = 0;
    const found = new Set();
    for (const finding of findings) if (suits(finding, wanted)) found.add(finding.element);
    for (const { element, root } of findings) {
      const inside = found.has(element) || [...element.querySelectorAll(".finding")].some((one) => found.has(one));
      element.hidden = !inside && !(root && found.has(root));
      count += found.has(element);
    }
    for (const group of groups) {
      group.hidden = !group.querySelector(".finding:not([hidden])");
      if (!group.matches(".folded") || group.querySelector(":target")) continue;
      const root = group.parentElement.closest(".finding");
      const leads = root && !found.has(root);
      group.open = Boolean(asked) && !group.hidden && (!root || leads);
      if (asked && leads && !root.hidden) root.open = true;
    }
    document.getElementById("count").textContent = count;
    document.getElementById("nothing").hidden = count > 0;
  };

  const remember = () => {
    const wanted = chosen();
    address.set("text", wanted.text);
    address.set("area", wanted.area);
    for (const name of several) address.set(name, wanted[name].join(","));
  };

  /** Set the form as the address says; a value that it does not have is left out. */
  const recall = () => {
    form.elements.text.value = address.get("text");
    form.elements.area.value = address.get("area");
    if (form.elements.area.selectedIndex < 0) form.elements.area.selectedIndex = 0;
    for (const name of several) {
      const values = address.get(name).split(",");
      for (const box of form.querySelectorAll(`[name=${name}]`)) box.checked = values.includes(box.value);
    }
  };

  /** A link to a finding must lead there, whatever the filter hides. */
  const reveal = () => {
    const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const finding = place?.closest(".finding");
    if (!finding) return;
    if (finding.hidden) {
      form.reset();
      return;
    }
    for (let fold = place.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    // The sentence of a finding stands above the place that a link names.
    (place.matches(".inside") ? finding : place).scrollIntoView({ block: "start" });
  };

  if (form) {
    form.hidden = false;
    recall();
    show();
    form.addEventListener("input", () => (show(), remember()));
    form.addEventListener("submit", (event) => event.preventDefault());
    // A form is empty only after the event that says so.
    form.addEventListener("reset", () => setTimeout(() => (show(), remember(), reveal())));
    addEventListener("hashchange", reveal);
    if (location.hash) reveal();
  }
}
