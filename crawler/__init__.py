"""Everything that goes out to marketplaces: the gate, the browser, the spider.

Here an address is judged before it is asked, pages become listings through the page objects
of `marketplaces/`, and what was seen is stored. What a listing means is not decided here:
no score, no evidence, no purchase may enter.
"""
