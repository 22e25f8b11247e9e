"""With what on a page a person could order: told by what it says, so never told for sure."""

from __future__ import annotations

import re

from playwright.async_api import Page

#: What buttons say that order, as shops write it; consumer law wants it said plainly.
ORDERS = re.compile(
    r"\b(?:place|submit|complete|confirm|finish|send)\b.{0,20}\b(?:order|checkout)\b"
    r"|\border (?:now|and pay)\b"
    r"|\bbuy\b|\bpurchase\b|\bpay\b|\bsubscribe and pay\b"
    r"|kaufen|bestellen|zahlungspflichtig|bestellung (?:ab|auf)|\bbezahlen\b"
    r"|command(?:er|e avec)|valider (?:la|ma) commande|\bpayer\b|\bacheter\b"
    r"|\bcomprar\b|\bpagar\b|(?:realizar|confirmar|finalizar) (?:el |o )?(?:pedido|compra)"
    r"|\bacquista\b|\bpaga\b|conferma (?:l['’])?ordine|\bkoop\b|\bbetal|bestelling plaatsen"
    r"|zamawiam|zapłać|\bkup\b|заказать|оформить|купить|оплатить"
    r"|购买|付款|支付|提交订单|下单|購買|注文|購入|お支払",
    re.IGNORECASE,
)
#: What orders on one page and only leads on from another, and is all that the button says.
CONFIRMS = re.compile(
    r"^\W*(?:(?:yes, )?i? ?(?:confirm|submit|finish|complete|send|accept|agree|done)"
    r"(?: (?:it|all|now|and (?:continue|finish|send|submit)))?"
    r"|order|(?:jetzt |verbindlich )?(?:ab)?senden|(?:jetzt |verbindlich )?bestätigen"
    r"|abschließen|fertig(?:stellen)?|bestellung|zustimmen"
    r"|confirmer|valider|envoyer|terminer|accepter|commande"
    r"|confirmar|enviar|finalizar|terminar|aceptar|aceitar|concluir|pedido"
    r"|conferm[ao]|invia|completa|termina|accetta|ordine|ordina"
    r"|bevestig(?:en)?|verzenden|versturen|afronden|voltooien|akkoord"
    r"|potwierdź|potwierdzam|zatwierdź|wyślij|zakończ"
    r"|подтвердить|подтверждаю|отправить|завершить|готово"
    r"|(?:立即)?(?:确认|确定|提交|完成|確認|確定|送出|送信)(?:する)?|完了する|同意(?:する)?)\W*$",
    re.IGNORECASE,
)
#: What is said by what looks as if it could be clicked; with `alsoText`, by every short text:
#: who listens for clicks cannot be seen from within the page.
_SAID = """alsoText => {
  const said = [];
  const look = root => {
    for (const one of root.querySelectorAll('*')) {
      if (one.shadowRoot) look(one.shadowRoot);
      if (!one.checkVisibility()) continue;
      const text = (one.textContent || '').trim();
      const short = alsoText && !one.childElementCount && text.length <= 40;
      if (short || one.onclick || getComputedStyle(one).cursor === 'pointer'
          || one.matches('button, a, input, summary, [tabindex]:not([tabindex="-1"])')) {
        const names = ['aria-label', 'alt', 'title'].map(name => one.getAttribute(name));
        const value = one.matches('[type=submit], [type=button], [type=image]') && one.value;
        said.push(...[text, value, ...names].filter(Boolean).map(a => a.slice(0, 2000)));
      }
    }
  };
  look(document);
  return said;
}"""


async def could_order_with(page: Page, *, unknown: bool) -> bool:
    """Whether something on a page says that it orders.

    Parameters
    ----------
    unknown
        Whether it is not known what the page is for: then also what only confirms is taken for
        an order, and all short text for a button.
    """
    patterns = (ORDERS, CONFIRMS) if unknown else (ORDERS,)
    for frame in page.frames:
        for role in ("button", "link"):
            for pattern in patterns:
                if await frame.get_by_role(role, name=pattern).count():
                    return True
        said = [" ".join(one.split()) for one in await frame.evaluate(_SAID, unknown)]
        if any(pattern.search(one) for pattern in patterns for one in said):
            return True
    return False
