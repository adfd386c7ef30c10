"""Video: the 3D U-Net and its diffusion, prompt parsing, soundtracks, and the synchronisation of sound and picture."""
