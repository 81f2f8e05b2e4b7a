// Evidence that only informs is folded on a phone; a link to it opens it again.
const phone = window.matchMedia("(max-width: 48rem)");
if (phone.matches) for (const fold of document.querySelectorAll("details[data-folds]")) fold.open = false;

document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#"]');
  const fold = link && document.getElementById(link.getAttribute("href").slice(1));
  if (fold instanceof HTMLDetailsElement) fold.open = true;
});
