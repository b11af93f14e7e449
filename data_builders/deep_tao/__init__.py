"""Deep-TAO: Catalina transients."""
