"""Recording a visit from the browser's own protocol: exchanges, pictures, circumstances.

What comes out is what was seen, whole or said not to be; packing and signing are elsewhere.
"""
