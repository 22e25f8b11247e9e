// A choice shows its own price.
const shown = document.querySelector(".price");
const show = (element) => { shown.textContent = element.dataset.price; };
for (const box of document.querySelectorAll(".variants")) {
  box.addEventListener("change", (event) => show(event.target.selectedOptions[0]));
  for (const button of box.querySelectorAll("button")) {
    button.addEventListener("click", () => {
      for (const other of box.querySelectorAll("button")) other.ariaPressed = String(other === button);
      show(button);
    });
  }
}
