"""The words of the pages "Describe it", by chapter: (title, text), a blank being {answer|synonym|synonym}.

Each says what its chapter found, in the shape in which the chapter before could have said it. The same texts stand in
book/continuity.md, with those of the chapters to come.
"""

MAD_LIBS = {
    1: (
        "What the map keeps",
        """A sculptor begins with a block of stone and takes away what is not the figure. Alice begins with
        {noise|static} and takes away what is not the {picture|image|drawing}. She does it in many small
        {steps|timesteps}, and each one begins where the last one {ended|stopped|finished|left off}. Inside her network
        there is a narrow place, the {bottleneck|middle|mid block}. The way from a picture x to it is called {h}, and it
        leads from the space X to the space {H}. If X is the forest, H is the {map}: smaller, and not the same
        {thing|place|territory}. And not everything passes through it, for the
        {skip connections|skip connection|skips|shortcuts} lead {round|around|past} it.""",
    ),
    2: (
        "What one number does",
        """In chapter 1 a whole network was a map, and it took a picture to a point in H. Here the map is a single
        {number|weight|matrix}. It takes the size of a {nose} to the width of a nap {smile}. Its unit says what it does:
        two {naps|nap|nap smiles|smiles} for every {nose|noses}, just as there are 3.28 {feet|foot} in a metre. So to
        multiply by it is to change {units|unit|the units|the unit}. A neuron does the same, as long as its {bias} is 0
        and its activation function changes {nothing}. Written as a matrix, it has one {row} and one {column}. Where
        nobody tells the weight, least {squares|square} finds it in a great many {faces|cats|examples|pictures}.""",
    ),
    3: (
        "What four numbers do",
        """In chapter 2 one weight took noses to naps. Now nose and ear share an output: each is multiplied by its own
        {weight|entry|number|coefficient}, and the two results are {added|summed|added together|added up}. Such a sum is
        a linear {combination}, and a row times a column is a {dot} product. A second row reads the same cat and says
        its {luck}. The results of the rows are not added; they are {stacked|put on top of each other|kept apart}. Read
        the matrix the other way, and each {column} is the place where one {basis} vector lands. A basis is like a
        {dictionary}: with its few words one can spell every {cat|vector|cat person}. A cat with nose 1 and ear 1 has a
        nap smile of {2.75} and {1|one} of luck. And like the blind men, each neuron touches one part, and the {judge}
        puts it together.""",
    ),
    4: (
        "What a bent map does close by",
        """In chapter 3 a matrix did the same to every {cat|vector|point}, wherever it was. A smooth map may
        {bend|curve}. But close to one point p it looks like a {matrix|linear map}. Steps away from p live in the
        {tangent} space at p, and they are counted from {p|its origin|the origin of the tangent space}, not from the
        origin of X. Where nose and ear were the basis vectors, now the {partial} derivatives are. A partial derivative
        says how much the output {changes|answers|moves} when one input changes a {little|bit}. So v = (0.3, 0.7) is
        0.3 of the red one and {0.7} of the {blue} one.""",
    ),
    5: (
        "What four partial derivatives do",
        """In chapter 3 each entry stood beside a ratio such as nap over {nose}. Now the ratio is ∂/∂h₁ over
        {∂/∂x₁|d/dx₁|∂/∂x1|d/dx1}, and again it is only a label: nothing is {divided}. A row belongs to an {output}, a
        column to an {input}. Where W took a cat to its nap and luck, J takes a small {step|change|vector|direction} at
        p to one at {h(p)|h of p}. That is called the {pushforward}, and it sends (0.3, 0.7) to (1.9, {1|one}). The way
        back exists if the matrix is {square} and its {determinant} is not zero. What starts at 45 degrees in the
        forest arrives at {21.8|21.8°|21.8 degrees|22} on the map.""",
    ),
    6: (
        "What straight means",
        """A Jacobian with a single row is, turned upright, the {gradient}. Every linear function into the numbers is a
        {dot} product with one vector; that is the theorem of {Riesz}. Near a point, a smooth function is its value
        there, plus something {linear}, plus a {remainder|rest|error} that vanishes faster than the step. A direction
        whose dot product with the gradient is {negative|below zero|less than zero} leads {down|downhill|downwards}.
        Which one leads down most steeply depends on how one measures {length|distance|lengths|distances}. With many
        outputs, the gradients are the {rows} of the Jacobian.""",
    ),
    7: (
        "What is handed on",
        """In chapter 6 there was one map. A network is a {chain|composition|row} of them, and its Jacobian is the
        {product} of theirs. The last map stands on the {left}. Where paths part and meet again, their products are
        {added|summed}. One can multiply a vector from the right, layer by layer as the network runs: {forward} mode,
        which gives {Jv|a JVP}. Or from the left, beginning at the end: {reverse|backward} mode, which gives vᵀJ. A
        loss is a single {number|output|scalar}, so learning takes the {second|reverse|latter} way. The Jacobian itself
        is never written {down}: for ten thousand inputs and outputs it would have a hundred {million} entries.""",
    ),
    8: (
        "What a ruler does",
        """In chapter 3 the dot product read one vector with another. A vector's dot product with itself is its
        {squared|square} length. In H we know how to measure: uᵀu. And since u = {Jv}, the same number in X is
        vᵀ{JᵀJ|JTJ|J^T J}v. That is the {pullback} metric. A circle in H is an {ellipse} when it is pulled back. Two
        vectors with dot product zero are {orthogonal|perpendicular}, which is not the same as {unrelated|having nothing
        in common}. Where J takes a direction to nothing, its length is {zero|0}, though it is not itself zero; so this
        is only a {pseudometric|semimetric}.""",
    ),
    9: (
        "What a walk is",
        """In chapter 8 we measured a step. Here steps make a {path|walk}. A path that never turns, by the rule of its
        space, is a {geodesic}. Carrying a vector along without changing its length or its angles is parallel
        {transport}. Round a loop on a {sphere|ball|globe} it comes home {turned|rotated|changed}. The clinic found
        {fifty|50} directions. To follow one a little way, look again, carry it over and go on is a projected {walk}.
        Too long a step {overshoots|burns the picture}. If in doubt, count to {three|3}. And a face that does {nothing}
        when you look at it can be {looked at|asked|drawn}.""",
    ),
    10: (
        "What is kept",
        """A small furry animal with four legs and whiskers: that is many words, and {cat} is one. A good {basis} says
        much with few vectors, and leaving out the rest is an {approximation|approximating}. W takes inputs to outputs.
        Its transpose takes outputs to {inputs}. So WᵀW takes inputs to {inputs}, and its entry in row r and column c is
        the {dot} product of two {columns} of W. Centre and scale the data first, and it is a {correlation}. By analogy,
        for small changes, there is {JᵀJ|JTJ|J^T J}. A vector that stays on its own line is an {eigenvector}, and the
        factor is its {eigenvalue}. When too many features share too little room, that is {superposition}.""",
    ),
    11: (
        "What the song says",
        """In chapter 10 an eigenvector stayed on its own {line|direction}. Not every matrix has a real one; W, which
        {turns|rotates} every vector, has none. But every matrix has {singular} vectors: it takes a right one, v, to a
        multiple of a {left} one, u. In a formula, Mv = {σu|sigma u|s u}. The song of it goes: {rotate}, {scale},
        rotate. The v are eigenvectors of {MᵀM|MTM|M^T M}, and σ is the square {root} of the eigenvalue. Leave out the
        small σ, and what is left is the best approximation of low {rank}. To find the first few, one needs only
        {products} with M and with its {transpose}.""",
    ),
    12: (
        "What fifty directions say",
        """In chapter 11 a matrix turned a circle into an {ellipse}. Its longest axis lay along the first {singular|left
        singular} vector, and half its length was the first singular {value}. Here the circle is every nudge of length
        {one|1} to a picture, and the matrix is the {Jacobian|derivative|J}, which has a hundred million
        {entries|numbers|elements}. We did not write it down; we {multiplied|took products} with it. The fifty longest
        axes are the {directions} in which a small nudge moves h {most|the most|furthest|the furthest}. Whether a value
        is right, its {residual} says; whether a vector is, needs the {gap} too. Beside every direction we put a
        {random} one of the same {length|size}. None of the fifty alone is the puppet. Together they might make another
        {face}.""",
    ),
    13: (
        "What a wish is",
        """In chapter 10 one word was a combination of many. Here one face is a {combination|sum|mixture} of {fifty|50}
        directions. The matrix M says how each direction {changes|moves} each factor; d says what we {want|wish|wish
        for}; and we look for the shortest c for which Mc is close to {d}. The clinic asked for no {puppet}. Alice asks
        for no {fright|fear}, and keeps the {puppet}. How would she know that it worked? By asking a {judge} that took
        no {part} in it. Each vector is a feeling, a {change}. And now, on a count of {three|3}, she {draws|draws
        it|generates}.""",
    ),
    14: (
        "What stays the same",
        """Alice has one bottleneck and twelve {factors}, and two {judges} who know them. Another mind has more of
        everything, and nobody to say what a direction {means|changes}. The ten lines stay the same: load, {noise},
        denoise, take the {Jacobian} at a {picture|point|state|timestep}, and its
        {SVD|singular vectors|singular value decomposition}. Where there is no bottleneck, h is the output of a
        {layer|module} that you name. What you find there, you compare with {random} directions before you believe it.
        And when you are lost, you make an {analogy}.""",
    ),
}
