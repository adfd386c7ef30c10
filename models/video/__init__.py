"""Video: the procedural world, the 3D U-Net, its diffusion, and the recipe of its shipped weights."""
