"""The words that a newcomer meets on the pages, each with a short explanation."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the field.

    Attributes:
        title: the word.
        question: the question that a button asks: `What is a logit?`.
        short: its meaning in one or two sentences, for a page in use.
        more: what the page about CBAM adds.
    """

    title: str
    question: str
    short: str
    more: str


TERMS = {
    "grad-cam": Term(
        "Grad-CAM",
        "What is Grad-CAM?",
        "A heat map of the evidence for one class. It adds up a stage’s channels, each weighted by how much the "
        "class’s score grows with it, and keeps the values above 0.",
        "A bright place speaks for the class. The map is coarse, and it does not outline the object. It looks at the "
        "network from outside: a network without attention has a Grad-CAM map too.",
    ),
    "logit": Term(
        "Logit",
        "What is a logit?",
        "The network’s raw score for a class. It can be any number; a higher one means more evidence for the class.",
        "The values of the heat maps are in logits, too: they say how much a place adds to the class’s score.",
    ),
    "probability": Term(
        "P",
        "What is P?",
        "The probability that a network gives to a class, from 0 to 1. Softmax makes it from the logits, so that all "
        "classes together have 1.",
        "Some class always gets the most, even if none fits the picture.",
    ),
    "stage": Term(
        "Stage",
        "What is a stage?",
        "A part of the network whose feature maps all have one size. Stage 1 has the finest maps, stage 4 the "
        "coarsest.",
        "A stage is a row of blocks, and CBAM is inside each block. Early stages react to edges and colours, late ones "
        "to parts and whole objects. The heat maps explain the output of stage 4, unless you choose another.",
    ),
    "gate": Term(
        "Gate",
        "What is a gate?",
        "Values from 0 to 1 that multiply a block’s features: 0 blocks them, 1 lets them pass unchanged. The network "
        "computes them anew for each picture.",
        "A gate does not know the class that you ask about. So it is not a heat map: it shows what the block lets "
        "pass, not what speaks for a class.",
    ),
    "channel-attention": Term(
        "Channel attention",
        "What is channel attention?",
        "It chooses what to look for: one gate value per channel, the same at every position.",
        "Each channel reacts to one pattern, such as fur or a wheel. Its mean and its maximum over all positions go "
        "through the same small network (the MLP). The two results are added, and a sigmoid brings them between 0 "
        "and 1.",
    ),
    "spatial-attention": Term(
        "Spatial attention",
        "What is spatial attention?",
        "It chooses where to look: one gate value per position, the same for every channel.",
        "At each position it takes the maximum and the mean over all channels. A 7 × 7 convolution turns these two "
        "maps into one, and a sigmoid brings it between 0 and 1.",
    ),
    "row-gate": Term(
        "Row and column gates",
        "What are row and column gates?",
        "One gate value per channel and row, the same in all columns; or one per channel and column, the same in all "
        "rows. Coordinate Attention and triplet attention have them.",
        "They choose where to look separately for each channel, but along one direction at a time. Their pictures are "
        "bands: the mean over all channels.",
    ),
    "joint-gate": Term(
        "Joint gate",
        "What is a joint gate?",
        "One gate value per channel and position. Its picture is the mean over all channels.",
        "BAM makes it from a channel branch and a spatial branch, Coordinate Attention from a row gate and a column "
        "gate, triplet attention from three gates. SimAM compares each value with its channel’s mean.",
    ),
}
"""The terms by the ids of their sections on the page about CBAM, in that page's order."""
