"""Show, Attend and Tell: photo captioning with visual attention (Xu et al. 2015)."""
