// Lists with a bulk bar: what is picked, how many, what it is worth, and "all that matches".
// A list is a form.list-form; its boxes are named "row", the box in its head has data-all.
for (const form of document.querySelectorAll("form.list-form")) {
  const bar = document.querySelector(`.bulk[data-for="${form.id}"]`);
  const boxes = () => [...form.querySelectorAll('input[name="row"]')];
  const head = form.querySelector("[data-all]");
  const every = form.querySelector('input[name="every"]');
  const whole = bar?.querySelector("[data-every]");

  const show = () => {
    const picked = boxes().filter((box) => box.checked);
    for (const box of boxes()) box.closest("tr")?.classList.toggle("is-picked", box.checked);
    if (head) {
      head.checked = picked.length > 0 && picked.length === boxes().length;
      head.indeterminate = picked.length > 0 && !head.checked;
    }
    if (!bar) return;
    const all = every?.value === "yes";
    bar.hidden = picked.length === 0;
    bar.querySelector("[data-count]").textContent = all ? bar.dataset.matching : picked.length.toLocaleString(document.documentElement.lang);
    if (whole) whole.hidden = all || !head?.checked || Number(bar.dataset.total) <= boxes().length;
    const remarks = bar.querySelector("[data-remarks]");
    if (remarks) remarks.textContent = all ? "" : counted(picked);
    const worth = bar.querySelector("[data-worth]");
    if (worth) {
      const sum = picked.reduce((total, box) => total + Number(box.dataset.worth || 0), 0);
      const places = Number(worth.dataset.places);
      const text = (sum / 10 ** places).toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places });
      worth.textContent = all ? worth.dataset.matching : `${worth.dataset.symbol}\u00a0${text}`;
    }
  };

  // What will be left as it is: each remark with the number of picked rows it is true of.
  const counted = (picked) => {
    const found = new Map();
    for (const { dataset } of picked) if (dataset.remark) found.set(dataset.remark, (found.get(dataset.remark) || 0) + 1);
    return [...found].map(([remark, count]) => `${count} ${remark}`).join(", ");
  };

  form.addEventListener("change", (event) => {
    if (event.target === head) for (const box of boxes()) box.checked = head.checked;
    if (event.target === head || event.target.name === "row") {
      if (every) every.value = "";
      show();
    }
  });
  whole?.addEventListener("click", () => {
    every.value = "yes";
    show();
  });
  bar?.querySelector("[data-clear]")?.addEventListener("click", () => {
    for (const box of boxes()) box.checked = false;
    if (every) every.value = "";
    show();
  });
  show();
}
