"""What buttons order, what pages say, and by how much a price may have risen."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest

from crawler.marketplaces import KINDS
from purchases.buying.checking import PriceChanged, check_listing, check_price
from purchases.buying.controls import CONFIRMS, ORDERS
from purchases.buying.reasons import Stopped
from purchases.buying.recognising import SOLD_OUT, place
from purchases.buying.wanted import Wanted
from registry.money import Money

# Nothing here asks a database; one is enough for the people whom this room's tests enter.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_a_button_that_orders() -> None:
    says = [
        "Place order", "Place your order", "Buy now", "Pay € 40.00", "Order now", "Submit Order",
        "Confirm and pay", "Zahlungspflichtig bestellen", "Jetzt kaufen", "Jetzt bezahlen",
        "Commander", "Commande avec obligation de paiement", "Payer", "Comprar ahora", "Pagar",
        "Realizar pedido", "Finalizar compra", "Acquista ora", "Bestellen", "Nu kopen en betalen",
        "Kup teraz", "Оплатить", "Оформить заказ", "提交订单", "立即购买", "注文を確定する",
        "Complete checkout",
    ]  # fmt: skip
    assert [one for one in says if not ORDERS.search(one)] == []


def test_a_button_that_leads_on() -> None:
    says = [
        "Continue", "Next", "Check out", "Search", "Cart", "Go on", "I am human", "Add to basket",
        "Continue to payment", "Weiter", "Zur Kasse", "Suivant", "Continuar", "Avanti", "Verder",
        "Change address", "Your orders", "PayPal", "Buyer protection", "Далее", "下一步",
    ]  # fmt: skip
    assert [one for one in says if ORDERS.search(one) or CONFIRMS.search(one)] == []


def test_a_button_that_orders_where_it_is_not_known_what_the_page_is_for() -> None:
    says = [
        "Confirm", "Submit", "Finish", " Complete » ", "Send", "I agree", "Accept and continue",
        "Absenden", "Bestätigen", "Jetzt bestätigen", "Abschließen", "Valider", "Confirmer",
        "Confirmar", "Enviar", "Finalizar", "Concluir", "Conferma", "Invia", "Bevestigen",
        "Afronden", "Zatwierdź", "Подтвердить", "确认", "提交", "確定", "送信する",
    ]  # fmt: skip
    assert [one for one in says if not CONFIRMS.search(one)] == []
    assert [one for one in says if ORDERS.search(one)] == []
    assert not CONFIRMS.search("Please confirm that you are not a robot.")


def test_sold_out() -> None:
    says = ["Sold out", "OUT OF STOCK", "Ausverkauft", "Agotado", "売り切れ"]  # fmt: skip
    assert all(SOLD_OUT.search(one) for one in says)


def wanted(price: str = "100.00 EUR") -> Wanted:
    recipe = KINDS["bazaar"].checkout
    assert recipe is not None
    return Wanted(
        url="http://shop.example/item/1/tote",
        kind="bazaar",
        marketplace_id=uuid4(),
        title="Tote",
        seller="Seller",
        price=Money.parse(price),
        limit=Money(Decimal(1000), "EUR"),
        recipe=recipe,
        mode="automatic",
    )


def test_a_price_that_may_be() -> None:
    for now in ("105.00 EUR", "100.00 EUR", "20.00 EUR"):
        check_price(Money.parse(now), wanted())


def test_a_price_that_rose_says_both_and_is_accepted_once_seen() -> None:
    now = Money.parse("105.01 EUR")
    with pytest.raises(PriceChanged, match=r"100\.00 EUR, it is 105\.01 EUR now") as stopped:
        check_price(now, wanted())
    assert stopped.value.reason == "price_changed"
    check_price(now, wanted(), accepted=stopped.value.now)
    with pytest.raises(PriceChanged):
        check_price(Money.parse("110.00 EUR"), wanted(), accepted=stopped.value.now)


def test_another_currency() -> None:
    with pytest.raises(Stopped) as stopped:
        check_price(Money.parse("100.00 USD"), wanted())
    assert stopped.value.reason == "currency_changed"


@pytest.mark.parametrize(
    ("price", "seller", "stock", "reason"),
    [
        ("€ 100,00", "Seller", "In stock", None),
        ("€ 130,00", "Seller", "In stock", "price_changed"),
        ("US $100.00", "Seller", "In stock", "currency_changed"),
        ("€ 100,00", "Somebody else", "In stock", "other_seller"),
        ("€ 100,00", "Seller", "Sold out", "out_of_stock"),
    ],
)
def test_a_listing_that_changed(price: str, seller: str, stock: str, reason: str | None) -> None:
    page = (
        f"<html><body><h1 class=title>Tote</h1><p class=price>{price}</p><p class=stock>{stock}</p>"
        f'<p class=seller>Sold by <a href="/seller/s">{seller}</a></p></body></html>'
    )
    if reason is None:
        check_listing(page, "http://shop.example/item/1/tote", wanted())
        return
    with pytest.raises(Stopped) as stopped:
        check_listing(page, "http://shop.example/item/1/tote", wanted())
    assert stopped.value.reason == reason


def test_a_host_with_and_without_www_is_one() -> None:
    assert place("https://www.Shop.example/a") == place("https://shop.example/b")
    assert place("https://pay.example/") != place("https://shop.example/")
