// Photos before they are sent: shown small, and made smaller when the camera's are larger than the desk keeps.
const LARGEST = 1.5 * 1024 * 1024;
const LONGEST_SIDE = 2048;
const waiting = new WeakMap();

async function smaller(file) {
  if (file.size <= LARGEST || !file.type.startsWith("image/")) return file;
  let picture;
  try {
    picture = await createImageBitmap(file);
  } catch {
    return file; // what cannot be read here is refused by the server, with its reason
  }
  const share = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * share);
  canvas.height = Math.round(picture.height * share);
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.85));
  return blob && blob.size < file.size ? new File([blob], "photo.jpg", { type: "image/jpeg" }) : file;
}

async function prepare(input) {
  const files = await Promise.all(Array.from(input.files, smaller));
  const chosen = new DataTransfer();
  for (const file of files) chosen.items.add(file);
  input.files = chosen.files;
  const shown = input.closest(".photo-pick")?.querySelector(".photos");
  if (!shown) return;
  for (const old of shown.querySelectorAll("img")) URL.revokeObjectURL(old.src);
  shown.replaceChildren(
    ...files.map((file) => {
      const image = document.createElement("img");
      image.src = URL.createObjectURL(file);
      image.alt = "";
      return image;
    }),
  );
}

document.addEventListener("change", (event) => {
  if (!event.target.matches(".photo-pick input[type=file]")) return;
  const form = event.target.closest("form");
  const work = prepare(event.target).finally(() => waiting.delete(form));
  waiting.set(form, work);
});

// A form whose photos are still being made smaller waits for them.
document.addEventListener(
  "submit",
  (event) => {
    const work = waiting.get(event.target);
    if (!work) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    work.then(() => event.target.requestSubmit(event.submitter ?? undefined));
  },
  true,
);
