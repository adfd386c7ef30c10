"""What lies between the page and the network: who may use it, what is sent, where it runs, how it is looked after."""
