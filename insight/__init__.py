"""What the data say: each listing seen is assessed here, and whatever is mined from many.

This room turns rows into the values that the matchers judge and writes down what they
said, inputs included. It keeps the index of registered pictures, what people say of
listings, and the models learned from it. It visits no marketplace, buys nothing, and accuses
nobody: the most that it does is to put a listing into people's queue.
"""
