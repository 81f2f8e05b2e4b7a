// The code of a link stands behind the # of its address, which browsers never send: it goes into the form.
const code = location.hash.slice(1);
if (code) {
  document.getElementById("token").value = decodeURIComponent(code);
  history.replaceState(null, "", location.pathname);
  document.getElementById("gate-form").submit();
}
