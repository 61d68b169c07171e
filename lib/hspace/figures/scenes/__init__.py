"""The pictures of the story, painted by code: the clinic and its backdrop, the forest and its map, the Eigenface, the
puppets.

Each painter takes nothing and returns a Figure, the same on every call. Where a scene shows something of the book, it
is the thing itself: the frames at the clinic hold a cat person under noise in true proportions, the map is one image of
the forest's ground and the view another, and the Eigenface is a principal component of drawn cat people.
"""

from ..style import in_style
from .backdrop import backdrop
from .clinic import clinic
from .eigenface import eigenface
from .forest import forest
from .puppets import friends, puppets

SCENES = {
    "clinic": clinic,
    "forest": forest,
    "eigenface": eigenface,
    "puppets": puppets,
    "friends": friends,
    "backdrop": backdrop,
}


@in_style
def scene(name):
    """A picture of the story by its name: "clinic", "forest", "eigenface", "puppets", "friends" or "backdrop".

    Returns a Figure of 640 × 400 page pixels. Raises ValueError for another name.
    """
    if name not in SCENES:
        raise ValueError(f"there is no scene {name!r}; there are {', '.join(SCENES)}")
    return SCENES[name]()
