// The keyboard. Single keys act only outside of fields, never with a modifier, and can be switched off.
{
  const form = document.getElementById("filter");
  const help = document.getElementById("help");
  const keys = document.getElementById("keys");

  const toggleHelp = () => {
    keys.hidden = !keys.hidden;
    help.setAttribute("aria-expanded", String(!keys.hidden));
  };

  /** Move to the next finding that can be seen, or to the one before. */
  const move = (step) => {
    const rows = [...document.querySelectorAll(".finding > summary")].filter((row) => row.checkVisibility());
    const at = rows.indexOf(document.activeElement?.closest?.(".finding")?.firstElementChild);
    const next = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : at + step];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  };

  const acts = {
    j: () => move(1),
    k: () => move(-1),
    "/": () => form.elements.text.focus(),
    "?": toggleHelp,
  };

  if (form) {
    help.addEventListener("click", toggleHelp);
    form.elements.text.addEventListener("keydown", (event) => {
      if (event.key === "Escape") event.target.blur();
    });
    addEventListener("keydown", (event) => {
      const typing = event.target.closest?.("input:not([type=checkbox], [type=radio]), select, textarea");
      const act = acts[event.key];
      if (!act || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      if (!document.getElementById("keys-on").checked && event.key !== "?") return;
      event.preventDefault();
      act();
    });
  }
}
