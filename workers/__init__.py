"""The hands of the house: take jobs from the outbox and have the other rooms do them.

Here are the relay from the outbox to the broker, the sweeper, the Dramatiq actors and the
process that runs them. Actors are thin: what a job does is written in the room that it is
about, and no rule about brands, listings, evidence or money may enter here.
"""

import os

# Workers share the machine's cores already. With threads of its own under each, the linear
# algebra of the picture matcher waits by spinning: on a busy machine up to four times as long.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
